/**
 * Tokens -> the tree of a template: the subset of Go's text/template that notices are written in. What is left out is refused by name:
 * define, template, block. @see text/template/parse/parse.go, whose precedence this follows.
 */
import { lex, TemplateError, type Token } from './lex.ts';

export type Term =
  | { readonly is: 'Dot' }
  | { readonly is: 'Value'; readonly value: string | number | boolean | null }
  | { readonly is: 'Variable'; readonly name: string }
  | { readonly is: 'Function'; readonly name: string }
  | { readonly is: 'Pipe'; readonly pipe: Pipe };

/** A term and the fields that are read from it, in order. */
export interface Operand {
  readonly term: Term;
  readonly fields: readonly string[];
  readonly at: number;
}

export interface Pipe {
  /** Variables that take its value: none, one, or for `range` two. */
  readonly names: readonly string[];
  /** `:=` makes new ones, `=` changes those that there are. */
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
  readonly at: number;
}

export type TemplateNode =
  | { readonly is: 'Text'; readonly text: string }
  | { readonly is: 'Action'; readonly pipe: Pipe }
  | { readonly is: 'Break' | 'Continue' }
  | {
      readonly is: 'If' | 'With' | 'Range';
      readonly pipe: Pipe;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };

export interface Template {
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
}

export interface TemplateRules {
  readonly functions: ReadonlySet<string>;
  /** What the top-level dot has; another name there is refused. Absent: anything. */
  readonly markers?: ReadonlySet<string>;
}

interface State {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly rules: TemplateRules;
  index: number;
  /** Those in sight, the innermost last. */
  readonly variables: string[];
  /** Bodies of with and range around: there the dot is another. */
  dots: number;
  loops: number;
}

/** @throws TemplateError with line and column */
export function parseTemplate(source: string, rules: TemplateRules): Template {
  const state: State = { source, tokens: lex(source), rules, index: 0, variables: ['$'], dots: 0, loops: 0 };
  const { nodes, ending } = parseList(state);
  if (ending !== null) throw wrong(state, `unexpected {{${ending.text}}}`, ending);
  return { source, nodes };
}

function wrong({ source }: State, message: string, { at }: { readonly at: number }): TemplateError {
  return new TemplateError(message, source, at);
}

function peek(state: State): Token {
  return state.tokens[state.index] as Token; // the last one is End, and nothing goes beyond it
}

function take(state: State): Token {
  const token = peek(state);
  if (token.kind !== 'End') state.index += 1;
  return token;
}

function isMark(token: Token, text: string): boolean {
  return token.kind === 'Mark' && token.text === text;
}

/** Up to {{end}} or {{else}}, which is taken (`ending`; after else the rest of its action is still there), or to the end. */
function parseList(state: State): { nodes: TemplateNode[]; ending: Token | null } {
  const nodes: TemplateNode[] = [];
  for (;;) {
    const token = take(state);
    if (token.kind === 'End') return { nodes, ending: null };
    if (token.kind === 'Text') {
      nodes.push({ is: 'Text', text: token.text });
      continue;
    }
    const first = peek(state);
    const word = first.kind === 'Word' ? first.text : '';
    if (word === 'end' || word === 'else') return { nodes, ending: take(state) };
    nodes.push(parseAction(state, word, first));
  }
}

function parseAction(state: State, word: string, first: Token): TemplateNode {
  switch (word) {
    case 'if':
    case 'with':
    case 'range':
      take(state);
      return parseBranch(state, word, first);
    case 'break':
    case 'continue':
      take(state);
      if (state.loops === 0) throw wrong(state, `{{${word}}} stands outside of {{range}}`, first);
      close(state, word);
      return { is: word === 'break' ? 'Break' : 'Continue' };
    case 'define':
    case 'template':
    case 'block':
      throw wrong(state, `{{${word}}} is not supported`, first);
    default: {
      const pipe = parsePipe(state, 'an action');
      close(state, 'an action');
      return { is: 'Action', pipe };
    }
  }
}

const branches = { if: 'If', with: 'With', range: 'Range' } as const;

function parseBranch(state: State, word: 'if' | 'with' | 'range', start: Token): TemplateNode {
  const seen = state.variables.length;
  const pipe = parsePipe(state, word, word === 'range');
  close(state, word);
  if (word !== 'if') state.dots += 1;
  if (word === 'range') state.loops += 1;
  const { nodes: body, ending } = parseList(state);
  if (word !== 'if') state.dots -= 1;
  if (word === 'range') state.loops -= 1;
  let otherwise: readonly TemplateNode[] = [];
  if (ending === null) throw wrong(state, `{{${word}}} has no {{end}}`, start);
  if (ending.text === 'else') otherwise = parseElse(state, word, start);
  else close(state, 'end');
  state.variables.length = seen;
  return { is: branches[word], pipe, body, otherwise };
}

function parseElse(state: State, word: 'if' | 'with' | 'range', start: Token): readonly TemplateNode[] {
  const next = peek(state);
  // {{else if}} and {{else with}} share the {{end}} of what they belong to.
  if (next.kind === 'Word' && next.text === word && word !== 'range') {
    take(state);
    return [parseBranch(state, word, next)];
  }
  close(state, 'else');
  const { nodes, ending } = parseList(state);
  if (ending === null) throw wrong(state, `{{${word}}} has no {{end}}`, start);
  if (ending.text === 'else') throw wrong(state, 'a second {{else}}', ending);
  close(state, 'end');
  return nodes;
}

function close(state: State, what: string): void {
  const token = take(state);
  if (token.kind !== 'Close') throw wrong(state, `unexpected ${shown(token)} in ${what}`, token);
}

function shown({ kind, text }: Token): string {
  return kind === 'End' ? 'end of the template' : JSON.stringify(text);
}

function parsePipe(state: State, what: string, isRange = false): Pipe {
  const { at } = peek(state);
  const { names, declares } = parseNames(state, isRange);
  const commands: (readonly Operand[])[] = [];
  for (;;) {
    const { at: begin } = peek(state);
    const command = parseCommand(state, what);
    if (command.length === 0) throw wrong(state, `a value is missing in ${what}`, { at: begin });
    const head = command[0];
    if (commands.length > 0 && head && isConstant(head)) throw wrong(state, 'what follows | must be a function', { at: head.at });
    commands.push(command);
    if (!isMark(peek(state), '|')) break;
    take(state);
  }
  if (declares) state.variables.push(...names);
  return { names, declares, commands, at };
}

function isConstant({ term, fields }: Operand): boolean {
  return fields.length === 0 && (term.is === 'Value' || term.is === 'Dot');
}

function parseNames(state: State, isRange: boolean): Pick<Pipe, 'names' | 'declares'> {
  const begin = state.index;
  const names: string[] = [];
  while (peek(state).kind === 'Variable') {
    const name = take(state);
    const mark = peek(state);
    if (isMark(mark, ':=') || (isMark(mark, '=') && names.length === 0) || (isMark(mark, '=') && isRange)) {
      take(state);
      names.push(name.text);
      const declares = mark.text === ':=';
      if (!declares) for (const each of names) known(state, each, name);
      return { names, declares };
    }
    if (!isRange || names.length > 0 || !isMark(mark, ',')) break;
    take(state);
    names.push(name.text);
  }
  state.index = begin; // no declaration: a variable is read
  return { names: [], declares: false };
}

function known(state: State, name: string, at: { readonly at: number }): void {
  if (!state.variables.includes(name)) throw wrong(state, `variable ${name} is not known here`, at);
}

function parseCommand(state: State, what: string): Operand[] {
  const operands: Operand[] = [];
  for (;;) {
    const token = peek(state);
    if (token.kind === 'Close' || token.kind === 'End' || isMark(token, '|') || isMark(token, ')')) return operands;
    if (operands.length > 0 && !token.spaced && !isMark(token, '('))
      throw wrong(state, `unexpected ${shown(token)} in ${what}; is a space missing?`, token);
    operands.push(parseOperand(state, what));
  }
}

function parseOperand(state: State, what: string): Operand {
  const token = take(state);
  const { at } = token;
  const fields: string[] = [];
  let term: Term;
  if (token.kind === 'Field') {
    term = { is: 'Dot' };
    fields.push(token.text.slice(1));
  } else term = parseTerm(state, token, what);
  for (let next = peek(state); next.kind === 'Field' && !next.spaced; next = peek(state)) {
    if (term.is === 'Value') throw wrong(state, `unexpected ${shown(next)} after a constant`, next);
    fields.push(take(state).text.slice(1));
  }
  const isTop = (term.is === 'Dot' && state.dots === 0) || (term.is === 'Variable' && term.name === '$');
  const [marker] = fields;
  const { markers } = state.rules;
  if (isTop && marker !== undefined && markers && !markers.has(marker))
    throw wrong(state, `there is no .${marker}; there are ${[...markers].map((each) => `.${each}`).join(' ')}`, token);
  return { term, fields, at };
}

const words: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

function parseTerm(state: State, token: Token, what: string): Term {
  switch (token.kind) {
    case 'String':
      return { is: 'Value', value: token.text };
    case 'Char':
      return { is: 'Value', value: token.text.codePointAt(0) ?? 0 };
    case 'Number': {
      const value = Number(token.text.replaceAll('_', '').replace(/^\+/, ''));
      if (Number.isNaN(value) || /^[+-]?0\d*[89]/.test(token.text)) throw wrong(state, `${token.text} is not a number`, token);
      return { is: 'Value', value };
    }
    case 'Variable':
      known(state, token.text, token);
      return { is: 'Variable', name: token.text };
    case 'Word': {
      const value = words[token.text];
      if (value !== undefined) return { is: 'Value', value };
      if (state.rules.functions.has(token.text)) return { is: 'Function', name: token.text };
      throw wrong(state, `function ${JSON.stringify(token.text)} is not known`, token);
    }
    case 'Mark':
      if (token.text === '.') return { is: 'Dot' };
      if (token.text === '(') {
        const pipe = parsePipe(state, 'parentheses');
        const end = take(state);
        if (!isMark(end, ')')) throw wrong(state, `unexpected ${shown(end)}; ) is missing`, end);
        return { is: 'Pipe', pipe };
      }
      break;
    default:
  }
  throw wrong(state, `unexpected ${shown(token)} in ${what}`, token);
}
