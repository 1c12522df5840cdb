/** Reading of answers: paths into untyped JSON, and the short form of a refusal. */
import type { Answer, Frame } from './case.ts';

type Step = (value: unknown) => unknown;

const field =
  (name: string): Step =>
  (value) =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const found =
  (key: string, wanted: string): Step =>
  (value) =>
    Array.isArray(value) ? value.find((item) => field(key)(item) === wanted) : undefined;

/**
 * The value at a path, undefined where there is none: "spec.nodeName", "items[].metadata.name" (of each), "conditions[type=Ready].status"
 * (the first one that fits), "containers[0]", 'labels["a.b/c"]'.
 */
export function at(value: unknown, path: string): unknown {
  let seen = value;
  for (const match of path.matchAll(/\["([^"]+)"\]|\[(\w+)=([^\]]+)\]|\[(\d+)\]|(\[\])|([^.[\]]+)/g)) {
    const [all, quoted, key, wanted, index, each, name] = match;
    if (each) {
      const rest = path.slice(match.index + all.length).replace(/^\./, '');
      return Array.isArray(seen) ? seen.map((item) => (rest === '' ? item : at(item, rest))) : seen;
    }
    if (key !== undefined && wanted !== undefined) seen = found(key, wanted)(seen);
    else seen = field(quoted ?? index ?? name ?? '')(seen);
  }
  return seen;
}

/** An object of the values at several paths; those that are not there are left out. */
export function pick(value: unknown, ...paths: readonly string[]): Record<string, unknown> {
  const entries = paths.map((path) => [path, at(value, path)] as const).filter(([, seen]) => seen !== undefined);
  return Object.fromEntries(entries);
}

/** Upstream runs some validations twice and then names each cause twice, which tells a client nothing. */
function once(details: unknown): unknown {
  const causes = at(details, 'causes');
  if (!Array.isArray(causes)) return details;
  const texts = new Set(causes.map((cause) => JSON.stringify(cause)));
  return { ...(details as object), causes: [...texts].map((cause) => JSON.parse(cause) as unknown) };
}

/** What an answer says to a client: the code alone when it is good, else everything that a client can tell refusals apart by. */
export function said({ code, retryAfter, body }: Answer): Record<string, unknown> {
  const header = retryAfter === undefined ? {} : { 'Retry-After': retryAfter };
  if (code < 400) return { code, ...header };
  if (at(body, 'kind') !== 'Status') return { code, ...header, body };
  const { details, ...rest } = pick(body, 'reason', 'message', 'details');
  return { code, ...header, ...rest, ...(details === undefined ? {} : { details: once(details) }) };
}

/** The code, and the values at these paths of the body; or the refusal. */
export function answered(answer: Answer, ...paths: readonly string[]): Record<string, unknown> {
  return answer.code < 400 ? { code: answer.code, ...pick(answer.body, ...paths) } : said(answer);
}

/** The body of an answer that must be good. @throws Error with what was said instead */
export function must(answer: Answer): unknown {
  if (answer.code >= 400) throw new Error(`refused: ${JSON.stringify(said(answer))}`);
  return answer.body;
}

/** "ADDED a", in the order of the frames; bookmarks are told without a name. */
export function told(frames: readonly Frame[]): string[] {
  return frames.map(({ type, object }) => {
    const name = at(object, 'metadata.name');
    return typeof name === 'string' ? `${type} ${name}` : type;
  });
}

export const names = (answer: Answer): readonly string[] => at(must(answer), 'items[].metadata.name') as readonly string[];

/** The items of a list. */
export const items = (answer: Answer): readonly unknown[] => at(must(answer), 'items') as readonly unknown[];

export const text = (value: unknown, path: string): string => String(at(value, path));

/** In the order of their texts. */
export const sorted = (values: readonly unknown[]): readonly unknown[] =>
  [...values].sort((a, b) => (String(a) < String(b) ? -1 : Number(String(a) > String(b))));

/** Compares by the text at a path. */
export const by =
  (path: string) =>
  (a: unknown, b: unknown): number =>
    text(a, path) < text(b, path) ? -1 : Number(text(a, path) > text(b, path));
