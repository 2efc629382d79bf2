// The live closed-loop page.  Only a deal that was won is read aloud.

import { hang } from "./picture.js";

hang("closedLoop", ({ won }) => new Map([["won", `Deals won: ${won}.`]]));
