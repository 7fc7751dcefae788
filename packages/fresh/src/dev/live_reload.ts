const EVENTS = "/_frsh/alive";
const SCRIPT = "/_frsh/live_reload.js";

// A process serves one revision; a page that receives another one after a reconnect is outdated.
const CODE = `let seen;
const connect = () => {
  const events = new EventSource("${EVENTS}");
  events.onmessage = ({ data }) => {
    if (seen !== undefined && seen !== data) location.reload();
    seen = data;
  };
  events.onerror = () => {
    events.close();
    setTimeout(connect, 250);
  };
};
connect();
`;

/** Tells open pages, over server-sent events, when the dev server has been restarted. */
export function liveReload(): {
  script: string;
  handle(req: Request): Response | null;
} {
  const revision = crypto.randomUUID();
  return {
    script: SCRIPT,
    handle(req) {
      const { pathname } = new URL(req.url);
      if (pathname === SCRIPT) {
        return new Response(CODE, { headers: { "Content-Type": "text/javascript" } });
      }
      if (pathname !== EVENTS) return null;
      const first = new TextEncoder().encode(`data: ${revision}\n\n`);
      const body = new ReadableStream({ start: (controller) => controller.enqueue(first) });
      return new Response(body, {
        headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" },
      });
    },
  };
}
