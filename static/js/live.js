// A socket that loses nothing: every message has a number, and after a drop it goes on behind the last one seen.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const NO_ACCESS = 4403;

/**
 * Follow a socket. `hear(message)` gets each message once and in order; `show(state)` gets "live", "retry" or "denied".
 * Returns a function that stops.
 */
export function follow(path, after, { hear, show }) {
  let socket;
  let timer;
  let failures = 0;
  let stopped = false;

  function open() {
    clearTimeout(timer);
    const address = new URL(`${path}?after=${after}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = (socket = new WebSocket(address));
    mine.addEventListener("open", () => {
      failures = 0;
      show("live");
    });
    mine.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.seq <= after) return;
      after = message.seq;
      hear(message);
    });
    mine.addEventListener("close", (event) => {
      if (stopped || mine !== socket) return;
      if (event.code === NO_ACCESS) {
        show("denied");
        return;
      }
      show("retry");
      // Jitter, so that a restarted server is not met by every page at once.
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures++) * (0.5 + Math.random() / 2);
      timer = setTimeout(open, wait);
    });
  }

  function retryNow() {
    if (!stopped && socket.readyState === WebSocket.CLOSED) open();
  }

  addEventListener("online", retryNow);
  document.addEventListener("visibilitychange", () => document.hidden || retryNow());
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket.close();
  };
}
