/** Label selectors: as objects, and as the text of a query (apimachinery pkg/labels/selector.go). */
import { labelValueErrors, qualifiedNameErrors } from '../apiserver/names.ts';
import { badRequest } from '../apiserver/refusals.ts';
import type { Labels, Selector, SelectorRequirement } from '../kubernetes.ts';

const integer = (text: string | undefined) => (text !== undefined && /^[-+]?\d+$/.test(text) ? BigInt(text) : undefined);

function requirementHolds({ key, operator, values = [] }: SelectorRequirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    // A label that is absent is not in any set.
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const left = integer(value);
      const right = integer(values[0]);
      if (left === undefined || right === undefined) return false;
      return operator === 'Gt' ? left > right : left < right;
    }
  }
}

const noLabels: Labels = {};

/** An empty selector matches everything. Gt and Lt (node affinity, query text) compare whole numbers. */
export function matchesSelector(selector: Selector, labels: Labels = noLabels): boolean {
  const { matchLabels, matchExpressions } = selector;
  for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false;
  if (matchExpressions) for (const requirement of matchExpressions) if (!requirementHolds(requirement, labels)) return false;
  return true;
}

interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
}

const TOKEN = /\s+|(==|!=|[=!><(),])|([^\s=!<>(),]+)/gy;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const [, symbol, word] of text.matchAll(TOKEN)) {
    if (symbol !== undefined) found.push({ kind: 'symbol', text: symbol });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
  }
  found.push({ kind: 'end', text: '' });
  return found;
}

const unparsable = (because: string) => badRequest(`unable to parse requirement: ${because}`);
const quoted = (text: string) => JSON.stringify(text);

function checkKey(key: string): string {
  const errors = qualifiedNameErrors(key);
  if (errors.length > 0) throw unparsable(`<nil>: Invalid value: ${quoted(key)}: ${errors.join('; ')}`);
  return key;
}

function checkValues(key: string, values: readonly string[]): readonly string[] {
  values.forEach((value, at) => {
    const errors = labelValueErrors(value);
    if (errors.length > 0) throw unparsable(`values[${at}][${key}]: Invalid value: ${quoted(value)}: ${errors.join('; ')}`);
  });
  return values;
}

interface Cursor {
  peek(): Token;
  take(): Token;
  is(symbol: string): boolean;
}

function cursorOf(list: readonly Token[]): Cursor {
  let at = 0;
  const peek = () => list[at] ?? { kind: 'end', text: '' };
  return {
    peek,
    take: () => {
      const token = peek();
      at++;
      return token;
    },
    is: (symbol) => peek().kind === 'symbol' && peek().text === symbol,
  };
}

/** "(x,,y)": an empty place is the empty value. */
function parseValues(cursor: Cursor): string[] {
  const open = cursor.take();
  if (open.text !== '(') throw unparsable(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  for (;;) {
    values.add(cursor.peek().kind === 'word' ? cursor.take().text : '');
    const next = cursor.take();
    if (next.text === ')') return [...values].sort();
    if (next.text !== ',') throw unparsable(`found '${next.text}', expected: ',' or ')'`);
  }
}

const OPERATORS: Readonly<Record<string, SelectorRequirement['operator']>> = {
  in: 'In',
  notin: 'NotIn',
  '=': 'In',
  '==': 'In',
  '!=': 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
};

function parseRequirement(cursor: Cursor): SelectorRequirement {
  const absent = cursor.is('!') && cursor.take() !== undefined;
  const name = cursor.take();
  if (name.kind !== 'word') throw unparsable(`found '${name.text}', expected: identifier`);
  const key = checkKey(name.text);
  if (absent) return { key, operator: 'DoesNotExist' };
  if (cursor.peek().kind === 'end' || cursor.is(',')) return { key, operator: 'Exists' };
  const { text } = cursor.take();
  const operator = OPERATORS[text];
  if (!operator) throw unparsable(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  if (text === 'in' || text === 'notin') return { key, operator, values: checkValues(key, parseValues(cursor)) };
  const empty = cursor.peek().kind === 'end' || cursor.is(',');
  const value = empty ? '' : cursor.take();
  if (value !== '' && value.kind !== 'word') throw unparsable(`found '${value.text}', expected: identifier`);
  const given = value === '' ? '' : value.text;
  if ((operator === 'Gt' || operator === 'Lt') && integer(given) === undefined)
    throw unparsable(`values[0]: Invalid value: ${quoted(given)}: for 'Gt', 'Lt' operators, the value must be an integer`);
  return { key, operator, values: checkValues(key, [given]) };
}

/**
 * Reads "a=b,c in (x,y),!d,e!=f,g>3" (empty: everything). Throws Failure 400 with what is wrong in it.
 * "!=" and "notin" also match objects without the label.
 */
export function parseLabelSelector(text: string): Selector {
  const cursor = cursorOf(tokens(text));
  const matchExpressions: SelectorRequirement[] = [];
  if (cursor.peek().kind === 'end') return {};
  if (cursor.peek().kind === 'symbol' && !cursor.is('!'))
    throw badRequest(`found '${cursor.peek().text}', expected: !, identifier, or 'end of string'`);
  for (;;) {
    matchExpressions.push(parseRequirement(cursor));
    const next = cursor.take();
    if (next.kind === 'end') return { matchExpressions };
    if (next.text !== ',') throw badRequest(`found '${next.text}', expected: ',' or 'end of string'`);
    if (cursor.peek().kind !== 'word' && !cursor.is('!'))
      throw badRequest(`found '${cursor.peek().text}', expected: identifier after ','`);
  }
}
