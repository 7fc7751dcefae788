import { createDefine } from "fresh";
import { rooms } from "../../lib/rooms/instance.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";

const define = createDefine();

export const handler = define.handlers({
  GET(ctx) {
    return upgradeToRoom(ctx.req, ctx.params["room"] ?? "", { rooms });
  },
});
