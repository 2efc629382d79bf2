// The live board.  Verdicts that changed and new breaches are read aloud, numbers are not.

import { hang } from "./picture.js";

const word = (verdict) => verdict.toLowerCase().replace("_", " ");

function factsOf(board) {
  const facts = new Map();
  for (const side of board.sides) {
    facts.set(side.side, `${side.teamName} is ${word(side.status)}.`);
    for (const { id, label, status } of side.commitments) {
      facts.set(id, `${label}: ${word(status)}.`);
    }
  }
  for (const { id, commitmentLabel } of board.breaches) {
    facts.set(id, `Breached: ${commitmentLabel}.`);
  }
  return facts;
}

hang("board", factsOf);
