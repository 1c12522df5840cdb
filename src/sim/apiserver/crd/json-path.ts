/**
 * The JSONPath of printer columns and selectable fields: fields, `['quoted names']`, indexes, `[*]` and filters of the form
 * `[?(@.type=="Ready")]`. Of client-go util/jsonpath what such paths use.
 */
import { isList, isObject, property } from '../patch/json-value.ts';

type Step = (value: unknown) => readonly unknown[];

export type JsonPath = (object: unknown) => readonly unknown[];

const parsed = new Map<string, JsonPath | undefined>();

/** Undefined when the text is no such path. A path gives all the values that it finds. */
export function jsonPath(text: string): JsonPath | undefined {
  if (!parsed.has(text)) parsed.set(text, parse(text));
  return parsed.get(text);
}

const TOKEN =
  /\.(?<field>(?:\\.|[^.[\\])+)|\[(?:'(?<quoted>(?:\\.|[^'\\])*)'|"(?<double>[^"]*)"|(?<index>-?\d+)|(?<all>\*)|\?\(@(?<path>[^=!<>]*?)\s*(?<operator>==|!=)\s*(?<literal>"[^"]*"|'[^']*'|[^)]+)\))\]/y;

function parse(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  // Its own one: a filter is parsed within, and the expression remembers where it stands.
  const token = new RegExp(TOKEN);
  for (let at = 0; at < text.length; at = token.lastIndex) {
    const groups = token.exec(text)?.groups;
    const step = groups && stepOf(groups);
    if (!step) return undefined;
    steps.push(step);
  }
  if (steps.length === 0) return undefined;
  return (object) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [object]);
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): Step | undefined {
  const { field, quoted, double, index, all, path, operator, literal } = groups;
  if (field === '*' || all !== undefined) return (value) => (isList(value) ? value : isObject(value) ? Object.values(value) : []);
  const name = (field ?? quoted ?? double)?.replaceAll(/\\(.)/g, '$1');
  if (name !== undefined) return (value) => some(isObject(value) ? property(value, name) : undefined);
  if (index !== undefined) return (value) => some(isList(value) ? value.at(Number(index)) : undefined);
  const inner = path === '' ? (value: unknown) => [value] : parse(path ?? '');
  if (!inner || literal === undefined) return undefined;
  const wanted = /^["']/.test(literal) ? literal.slice(1, -1) : JSON.stringify(literalOf(literal));
  const fits = (element: unknown) => {
    const [found] = inner(element);
    const is = typeof found === 'string' ? found : JSON.stringify(found);
    return found !== undefined && (is === wanted) === (operator === '==');
  };
  return (value) => (isList(value) ? value.filter(fits) : []);
}

function literalOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number(text);
}

const some = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value]);
