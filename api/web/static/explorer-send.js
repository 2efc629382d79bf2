// What both explorers share: the documented operations, the token, and asking this very address.

export const operations = JSON.parse(document.getElementById("operations").content.textContent);

const TOKEN = "explorer.token";

// This tab only: a token must not outlive it.
export function kept(key = TOKEN) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // Storage may be forbidden.
  }
}

export function keep(value, key = TOKEN) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // As above.
  }
}

// Answers {response, answer}, or {response, events} where answers come one after the other.
export async function send({ query, variables, operationName }, { token, headers, signal } = {}) {
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, text/event-stream;q=0.9",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: JSON.stringify({ query, variables, operationName }),
    signal,
  });
  const streams = response.headers.get("content-type")?.startsWith("text/event-stream");
  return streams
    ? { response, events: answersOf(response.body) }
    : { response, answer: await response.json() };
}

async function* answersOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (text + value).split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const data = frame.match(/^event: next\ndata: (.*)$/s)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
