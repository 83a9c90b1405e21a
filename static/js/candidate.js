// The page of one candidate.

import { walk } from "nas/arch";
import { curves } from "nas/curves";

walk(document.getElementById("diagram"));
const box = document.getElementById("curves");
if (box) {
  const trainings = JSON.parse(document.getElementById("curves-data").textContent);
  curves(box, new Map(trainings.map((one) => [one.evaluation, one])));
}
