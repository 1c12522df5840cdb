/** Text of a Go template -> its tokens, with the rules of text/template/parse/lex.go: delimiters, trim markers, comments. Pure. */

/** Where it is wrong, both counted from 1. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, text: string, at: number) {
    const before = text.slice(0, at).split('\n');
    const line = before.length;
    const column = (before.at(-1) ?? '').length + 1;
    super(`line ${line}, column ${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}

export type TokenKind = 'Text' | 'Open' | 'Close' | 'Field' | 'Variable' | 'Word' | 'Number' | 'String' | 'Char' | 'Mark' | 'End';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a Text what is left after trimming, of a String its value. */
  readonly text: string;
  /** Offset in the template. */
  readonly at: number;
  /** White space stands before it: `.A .B` are two operands, `.A.B` is one. */
  readonly spaced: boolean;
}

const OPEN = '{{';
const CLOSE = '}}';
const SPACE = ' \t\r\n';

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['Field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['Variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['Number', /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)/y],
  ['Word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['Mark', /:=|[=|(),.]/y],
];

/** @throws TemplateError for an action that is not closed and for characters that no action may hold */
export function lex(template: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  const text = (until: number, trimEnd: boolean) => {
    let piece = template.slice(at, until);
    if (trimNext) piece = piece.replace(/^[ \t\r\n]+/, '');
    if (trimEnd) piece = piece.replace(/[ \t\r\n]+$/, '');
    if (piece !== '') tokens.push({ kind: 'Text', text: piece, at, spaced: false });
  };
  for (;;) {
    const open = template.indexOf(OPEN, at);
    if (open < 0) {
      text(template.length, false);
      tokens.push({ kind: 'End', text: '', at: template.length, spaced: false });
      return tokens;
    }
    const trims = template[open + 2] === '-' && SPACE.includes(template[open + 3] ?? 'x');
    text(open, trims);
    const inside = open + (trims ? 3 : 2);
    const comment = readComment(template, open, inside);
    if (comment) ({ at, trimNext } = comment);
    else {
      tokens.push({ kind: 'Open', text: OPEN, at: open, spaced: false });
      ({ at, trimNext } = readAction(template, open, inside, tokens));
    }
  }
}

function readComment(template: string, open: number, inside: number): { at: number; trimNext: boolean } | null {
  // A comment follows the delimiter, or the one space that a trim marker needs.
  const start = template.startsWith('/*', inside) ? inside : inside > open + 2 ? inside + 1 : inside;
  if (!template.startsWith('/*', start)) return null;
  const end = template.indexOf('*/', start);
  if (end < 0) throw new TemplateError('the comment is not closed: */ is missing', template, open);
  const close = /^(?:[ \t\r\n]-)?\}\}/.exec(template.slice(end + 2, end + 6))?.[0];
  if (close === undefined) throw new TemplateError('a comment ends with */}} or */ -}}', template, open);
  return { at: end + 2 + close.length, trimNext: close.length > CLOSE.length };
}

function readAction(template: string, open: number, inside: number, tokens: Token[]): { at: number; trimNext: boolean } {
  let at = inside;
  let spaced = false;
  for (;;) {
    const trims = SPACE.includes(template[at] ?? 'x') && template.startsWith('-}}', at + 1);
    if (trims || template.startsWith(CLOSE, at)) {
      tokens.push({ kind: 'Close', text: CLOSE, at, spaced });
      return { at: at + (trims ? 4 : 2), trimNext: trims };
    }
    const char = template[at];
    if (char === undefined) throw new TemplateError('the action is not closed: }} is missing', template, open);
    if (SPACE.includes(char)) {
      at += 1;
      spaced = true;
      continue;
    }
    const token = readQuoted(template, at, spaced) ?? readToken(template, at, spaced);
    tokens.push(token.token);
    at = token.end;
    spaced = false;
  }
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readToken(template: string, at: number, spaced: boolean): Read {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(template)?.[0];
    if (found !== undefined) return { token: { kind, text: found, at, spaced }, end: at + found.length };
  }
  throw new TemplateError(`unexpected ${JSON.stringify(template[at])} in an action`, template, at);
}

function readQuoted(template: string, at: number, spaced: boolean): Read | null {
  const quote = template[at];
  if (quote === '`') {
    const end = template.indexOf('`', at + 1);
    if (end < 0) throw new TemplateError('the text is not closed: ` is missing', template, at);
    return { token: { kind: 'String', text: template.slice(at + 1, end), at, spaced }, end: end + 1 };
  }
  if (quote !== '"' && quote !== "'") return null;
  let end = at + 1;
  while (end < template.length && template[end] !== quote && template[end] !== '\n') end += template[end] === '\\' ? 2 : 1;
  if (template[end] !== quote) throw new TemplateError(`the text is not closed: ${quote} is missing`, template, at);
  const value = unquote(template.slice(at + 1, end), template, at);
  return { token: { kind: quote === '"' ? 'String' : 'Char', text: value, at, spaced }, end: end + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** strconv.Unquote, but for octal and hexadecimal bytes, which could make a text that is none. */
function unquote(raw: string, template: string, at: number): string {
  return raw.replaceAll(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])/g, (_, name: string) => {
    if (/^[uU]./.test(name)) {
      const code = Number.parseInt(name.slice(1), 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
    }
    const value = escapes[name];
    if (value === undefined) throw new TemplateError(`\\${name} is not a known escape`, template, at);
    return value;
  });
}
