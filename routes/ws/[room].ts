import { allowedOrigins, rooms } from "../../lib/rooms/instance.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import { define } from "../../lib/server/state.ts";

export const handler = define.handlers({
  GET(ctx) {
    return upgradeToRoom(ctx.req, ctx.params["room"] ?? "", { rooms, allowedOrigins });
  },
});
