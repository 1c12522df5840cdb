/**
 * How a value goes into the text around it. Go's text/template puts it in as it is, and a quote in a message breaks the JSON of a webhook;
 * html/template, which aks-node-termination-handler renders with, leaves &#34; in it. Here it depends on what the text is. Pure.
 */

/** Json, Exposition: inside double quotes a value is escaped as the format wants it; outside of them it is left as it is. */
export type Escape = 'None' | 'Json' | 'Slack' | 'Exposition';

export interface Escaper {
  /** Text of the template itself. */
  literal(text: string): string;
  /** What an action has left. */
  value(text: string): string;
}

export function createEscaper(escape: Escape): Escaper {
  const literal = (text: string) => text;
  switch (escape) {
    case 'None':
      return { literal, value: literal };
    case 'Slack':
      return { literal, value: slackText };
    case 'Json':
      return insideQuotes((text) => JSON.stringify(text).slice(1, -1));
    case 'Exposition':
      return insideQuotes(labelValue);
  }
}

/** Slack reads <...> and &...; as markup: an image of a registry or a message of the API server may hold both. */
export function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The value of a label in the text format of Prometheus. */
export function labelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function insideQuotes(escape: (text: string) => string): Escaper {
  let inside = false;
  let afterBackslash = false;
  const follow = (text: string): string => {
    for (const char of text) {
      if (inside && char === '\\') afterBackslash = !afterBackslash;
      else {
        if (char === '"' && !afterBackslash) inside = !inside;
        afterBackslash = false;
      }
    }
    return text;
  };
  return { literal: follow, value: (text) => follow(inside ? escape(text) : text) };
}
