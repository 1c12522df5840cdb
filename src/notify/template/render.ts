/** Runs a template over its values, as text/template/exec.go does. Pure. */
import { TemplateError } from '../../api/template/lex.ts';
import type { Operand, Pipe, Template, TemplateNode } from '../../api/template/parse.ts';
import { createEscaper, type Escape, type Escaper } from './escape.ts';
import { type Callable, CallError, functions } from './functions.ts';
import { isList, isMap, isStruct, printed, sorted, type Struct, truth, typeName, type Value } from './value.ts';

const MAX_LENGTH = 65_536;
const MAX_STEPS = 100_000;

interface Run {
  readonly template: Template;
  readonly escaper: Escaper;
  text: string;
  steps: number;
  /** Innermost last. */
  readonly variables: { readonly name: string; value: Value }[];
}

type Flow = 'On' | 'Break' | 'Continue';

/** @throws TemplateError with line and column for what only the values show: a field that is not there, a wrong argument, 64 KiB of text */
export function render(template: Template, data: Struct, escape: Escape = 'None'): string {
  const run: Run = { template, escaper: createEscaper(escape), text: '', steps: 0, variables: [{ name: '$', value: data }] };
  walk(template.nodes, data, run);
  return run.text;
}

function wrong(run: Run, message: string, at: number): TemplateError {
  return new TemplateError(message, run.template.source, at);
}

function write(run: Run, text: string): void {
  run.text += text;
  if (run.text.length > MAX_LENGTH) throw wrong(run, `the text is longer than ${MAX_LENGTH} characters`, 0);
}

function step(run: Run): void {
  if (++run.steps > MAX_STEPS) throw wrong(run, `more than ${MAX_STEPS} steps`, 0);
}

function walk(nodes: readonly TemplateNode[], dot: Value, run: Run): Flow {
  for (const node of nodes) {
    step(run);
    switch (node.is) {
      case 'Text':
        write(run, run.escaper.literal(node.text));
        break;
      case 'Action': {
        const value = evaluate(node.pipe, dot, run);
        if (node.pipe.names.length === 0) write(run, run.escaper.value(printed(value)));
        break;
      }
      case 'Break':
      case 'Continue':
        return node.is;
      default: {
        const seen = run.variables.length;
        const flow = node.is === 'Range' ? range(node, dot, run) : branch(node, dot, run);
        run.variables.length = seen;
        if (flow !== 'On') return flow;
      }
    }
  }
  return 'On';
}

type Branch = Extract<TemplateNode, { is: 'If' | 'With' | 'Range' }>;

function branch({ is, pipe, body, otherwise }: Branch, dot: Value, run: Run): Flow {
  const value = evaluate(pipe, dot, run);
  return truth(value) ? walk(body, is === 'With' ? value : dot, run) : walk(otherwise, dot, run);
}

function range({ pipe, body, otherwise }: Branch, dot: Value, run: Run): Flow {
  const value = evaluate({ ...pipe, names: [] }, dot, run);
  const entries = entriesOf(value);
  if (entries === null) throw wrong(run, `range cannot go over ${typeName(value)}`, pipe.at);
  const [first, second] = pipe.names;
  const seen = run.variables.length;
  let any = false;
  for (const [key, each] of entries) {
    any = true;
    step(run); // its body may be empty
    const named: [string | undefined, Value][] =
      second === undefined
        ? [[first, each]]
        : [
            [first, key],
            [second, each],
          ];
    for (const [name, item] of named) if (name !== undefined) assign(name, item, pipe.declares, run);
    const flow = walk(body, each, run);
    run.variables.length = seen;
    if (flow === 'Break') break;
  }
  return any ? 'On' : walk(otherwise, dot, run);
}

function* counted(size: number): Iterable<readonly [Value, Value]> {
  for (let index = 0; index < size; index += 1) yield [index, index];
}

function entriesOf(value: Value): Iterable<readonly [Value, Value]> | null {
  if (value === null || value === undefined) return [];
  if (isList(value)) return value.entries();
  if (isMap(value)) return sorted(value);
  return typeof value === 'number' && Number.isInteger(value) ? counted(value) : null;
}

function assign(name: string, value: Value, declares: boolean, run: Run): void {
  const known = declares ? undefined : run.variables.findLast((each) => each.name === name);
  if (known) known.value = value;
  else run.variables.push({ name, value });
}

function evaluate(pipe: Pipe, dot: Value, run: Run): Value {
  let value: Value;
  let piped: readonly Value[] = [];
  for (const command of pipe.commands) {
    value = call(command, piped, dot, run);
    piped = [value];
  }
  for (const name of pipe.names) assign(name, value, pipe.declares, run);
  return value;
}

/** @param piped what the command before has left: the last argument */
function call(command: readonly Operand[], piped: readonly Value[], dot: Value, run: Run): Value {
  const [head, ...rest] = command as readonly [Operand, ...Operand[]]; // the parser leaves no empty command
  if (head.term.is !== 'Function') {
    if (head.term.is === 'Value' && head.term.value === null) throw wrong(run, 'nil is no command', head.at);
    if (rest.length > 0 || piped.length > 0) throw wrong(run, 'a value that is no function takes no arguments', head.at);
    return operand(head, dot, run);
  }
  const { name } = head.term;
  if (name === 'and' || name === 'or') {
    if (rest.length + piped.length === 0) throw wrong(run, `${name} takes at least 1 argument, not 0`, head.at);
    let value: Value;
    for (const each of [...rest.map((part) => () => operand(part, dot, run)), ...piped.map((part) => () => part)]) {
      value = each();
      if (truth(value) === (name === 'or')) break;
    }
    return fieldsOf(value, head, run);
  }
  const args = [...rest.map((each) => operand(each, dot, run)), ...piped];
  return fieldsOf(invoke(name as Callable, args, head.at, run), head, run);
}

function invoke(name: Callable, args: readonly Value[], at: number, run: Run): Value {
  try {
    return functions[name](args);
  } catch (error) {
    if (error instanceof CallError) throw wrong(run, `${name} ${error.message}`, at);
    throw error;
  }
}

function operand(part: Operand, dot: Value, run: Run): Value {
  const { term } = part;
  switch (term.is) {
    case 'Dot':
      return fieldsOf(dot, part, run);
    case 'Value':
      return term.value;
    case 'Variable':
      return fieldsOf(run.variables.findLast((each) => each.name === term.name)?.value, part, run);
    case 'Pipe':
      return fieldsOf(evaluate(term.pipe, dot, run), part, run);
    case 'Function':
      return call([part], [], dot, run);
  }
}

function fieldsOf(value: Value, { fields, at }: Operand, run: Run): Value {
  let found = value;
  for (const field of fields) {
    if (isMap(found)) found = found.get(field);
    else if (isStruct(found)) {
      if (!Object.hasOwn(found, field))
        throw wrong(run, `there is no field ${field} here; there are ${Object.keys(found).join(', ')}`, at);
      found = found[field];
    } else throw wrong(run, `cannot read field ${field} of ${typeName(found)}`, at);
  }
  return found;
}
