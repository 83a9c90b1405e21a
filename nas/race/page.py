"""The report of a race: one HTML file with curves, bands and a table, readable without a network."""

from collections.abc import Sequence
from html import escape
from itertools import cycle
from string import Template
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nas.plan import data_title, explicit
from nas.race.contest import Lane, Race
from nas.race.standings import Spread, Standing, spread

# Okabe and Ito's colours, which colour-blind people tell apart; random is grey.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7b4173", "#3182bd", "#31a354")
RANDOM_COLOUR = "#7f7f7f"
PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid #d8dde6;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}.scroll{overflow-x:auto}tr.mark td{font-weight:600;background:#f3f5f9}
</style></head><body><h1>$title</h1><p>$about</p>$figure
<h2>Standings</h2><div class="scroll"><table><thead><tr>$head</tr></thead><tbody>$rows</tbody></table></div>
<p>$method</p><h2>Settings</h2><dl>$settings</dl></body></html>
""")
HEAD = ("Strategy", "Mean", "Standard error", "10 %", "Median", "90 %", "Report", "Gain over random", "p")
METHOD = (
    "Only architectures that were not asked for before count as evaluations. Bands are the 10 % and 90 % quantiles "
    "over seeds, p that of a two-sided Mann-Whitney U test against random search after the same evaluations."
)


def page(race: Race, lanes: Sequence[Lane], found: Sequence[Standing]) -> str:
    """Return the whole page as HTML."""
    objective, report = race.plan.objectives[0].metric, next(iter(race.plan.report), "")
    about = f"{objective}, {len(race.seeds)} seeds, {race.plan.budget} evaluations each."
    return PAGE.substitute(
        title=escape(f"Race on {data_title(race.plan)}"),
        about=escape(about + (f" Selected on it; reported: {report}." if report else "")),
        figure=_figure(race, lanes).to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False}),
        head="".join(f"<th scope='col'>{escape(title)}</th>" for title in HEAD),
        rows=_rows(found),
        method=escape(METHOD),
        settings="".join(_settings(race, name) for name in race.entrants),
    )


def _figure(race: Race, lanes: Sequence[Lane]) -> go.Figure:
    titles = [race.plan.objectives[0].metric, *race.plan.report[:1]]
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.07)
    colours = dict(zip(race.entrants, cycle(COLOURS), strict=False)) | {race.entrants[-1]: RANDOM_COLOUR}
    for name in race.entrants:
        own = [lane for lane in lanes if lane.strategy == name and lane.best]
        for column in range(len(titles) if own else 0):
            series = [lane.report if column else lane.best for lane in own]
            for trace in _traces(name, series, colours[name], legend=column == 0):
                figure.add_trace(trace, row=1, col=column + 1)
    for column in range(len(titles)):
        figure.update_yaxes(range=_worth_seeing(lanes, report=column == 1), row=1, col=column + 1)
    figure.update_xaxes(title_text="evaluations")
    figure.update_layout(
        template="plotly_white", height=520, legend={"orientation": "h", "y": -0.2}, hovermode="x unified"
    )
    return figure


def _worth_seeing(lanes: Sequence[Lane], *, report: bool) -> list[float]:
    """Leave out the fall of the first tenth, beside which nothing later would be told apart."""
    series = [lane.report if report else lane.best for lane in lanes if lane.best]
    shown = [value for one in series for value in one[len(one) // 10 :]]
    low, high = min(shown), max(shown)
    return [low - 0.02 * (high - low), high + 0.02 * (high - low)]


def _traces(name: str, series: Sequence[Sequence[float]], colour: str, *, legend: bool) -> list[Any]:
    points: list[Spread] = [spread(column) for column in zip(*series, strict=True)]
    x = list(range(1, len(points) + 1))
    band = {"mode": "lines", "line": {"width": 0}, "legendgroup": name, "showlegend": False, "hoverinfo": "skip"}
    return [
        go.Scatter(x=x, y=[one.low for one in points], **band),
        go.Scatter(x=x, y=[one.high for one in points], fill="tonexty", fillcolor=_pale(colour), **band),
        go.Scatter(
            x=x,
            y=[round(one.mean, 4) for one in points],
            name=name,
            legendgroup=name,
            showlegend=legend,
            line={"color": colour, "width": 2},
        ),
    ]


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


def _rows(found: Sequence[Standing]) -> str:
    html, mark = "", 0
    for one in found:
        if one.evaluations != mark:
            mark = one.evaluations
            html += f"<tr class='mark'><td colspan='{len(HEAD)}'>after {mark} evaluations</td></tr>"
        gain = "" if one.gain is None else f"{one.gain:+.2f} %"
        p_value = "" if one.p_value is None else f"{one.p_value:.2g}"
        best = one.best
        numbers = (best.mean, best.error, best.low, best.middle, best.high, one.report.mean)
        cells = [escape(one.strategy), *(f"{value:#.4g}" for value in numbers), gain, p_value]
        html += "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    return html


def _settings(race: Race, name: str) -> str:
    values = explicit(race.lane_plan(name, race.seeds[0])).strategy_settings
    told = ", ".join(f"{key} = {value}" for key, value in values.items()) or "no settings"
    return f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>"
