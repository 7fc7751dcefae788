import { testProperties } from "./property.ts";
import { ROOM_PROPERTIES } from "./rooms.ts";

testProperties(ROOM_PROPERTIES);
