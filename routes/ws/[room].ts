import { allowedOrigins, rooms } from "../../lib/server/instance.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import { access } from "../../lib/server/access.ts";
import { clientOf } from "../../lib/ops/client_address.ts";
import { define } from "../../lib/server/state.ts";

export const handler = define.handlers({
  GET({ req, info, params }) {
    const room = params["room"] ?? "";
    const guest = { room, address: clientOf(req, info), mayCreate: access.admits(req) };
    return upgradeToRoom(req, guest, { rooms, allowedOrigins });
  },
});
