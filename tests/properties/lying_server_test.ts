import { LYING_SERVER_PROPERTIES } from "./lying_server.ts";
import { testProperties } from "./property.ts";

testProperties(LYING_SERVER_PROPERTIES);
