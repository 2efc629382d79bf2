// Makes one element like another by the fewest changes: what did not change keeps its place, its
// focus and its scroll position.  Children with a data-key are followed when they move.

export function morph(current, next) {
  copyAttributes(current, next);
  let place = current.firstChild;
  const keyed = childrenByKey(current);
  for (const wanted of [...next.childNodes]) {
    const found = match(place, wanted, keyed);
    if (found === null) {
      current.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else current.insertBefore(found, place);
    update(found, wanted);
  }
  while (place !== null) {
    const spare = place;
    place = place.nextSibling;
    spare.remove();
  }
}

function childrenByKey(element) {
  const keyed = [...element.children].filter((child) => child.dataset.key !== undefined);
  return new Map(keyed.map((child) => [child.dataset.key, child]));
}

function match(place, wanted, keyed) {
  const key = wanted.dataset?.key;
  if (key !== undefined) return keyed.get(key) ?? null;
  if (place === null || place.dataset?.key !== undefined) return null;
  return place.nodeName === wanted.nodeName ? place : null;
}

function update(found, wanted) {
  if (wanted.nodeType === Node.ELEMENT_NODE) morph(found, wanted);
  else if (found.data !== wanted.data) found.data = wanted.data;
}

// Whether the figures are open is the reader's choice, not the server's.
function copyAttributes(current, next) {
  for (const { name } of [...current.attributes]) {
    if (!next.hasAttribute(name) && name !== "open") current.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (current.getAttribute(name) !== value && name !== "open") current.setAttribute(name, value);
  }
}
