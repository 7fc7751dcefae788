import { allowedOrigins, rooms } from "../../lib/rooms/instance.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import { clientOf } from "../../lib/server/client_address.ts";
import { define } from "../../lib/server/state.ts";

export const handler = define.handlers({
  GET({ req, info, params }) {
    const guest = { room: params["room"] ?? "", address: clientOf(req, info), mayCreate: true };
    return upgradeToRoom(req, guest, { rooms, allowedOrigins });
  },
});
