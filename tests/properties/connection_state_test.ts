import { CONNECTION_PROPERTIES } from "./connection_state.ts";
import { testProperties } from "./property.ts";

testProperties(CONNECTION_PROPERTIES);
