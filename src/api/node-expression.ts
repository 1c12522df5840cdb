/**
 * An expression over a node, in the Common Expression Language: `node.labels["pool"] == "old"`. It is asked about every node of a fleet
 * with every change, so what could take long is refused when it is written: regular expressions, and loops within loops.
 */
import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import type { Node } from './objects.ts';

/** True or false; a text says why it cannot be asked about this node, like a label that it does not have. */
export type NodeExpression = (node: Node) => boolean | { readonly error: string };

const MAX_LOOPS = 2;
const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

const environment = new Environment({
  limits: { maxAstNodes: 200, maxDepth: 24, maxListElements: 64, maxMapEntries: 16, maxCallArguments: 8 },
}).registerVariable('node', 'map');

/** @throws SyntaxError with one line that says what is wrong with it */
export function compileNodeExpression(text: string): NodeExpression {
  const run = parsed(text);
  const { valid, type, error } = run.check();
  if (!valid) throw new SyntaxError(firstLine(error?.message ?? 'cannot be read'));
  if (type !== 'bool')
    throw new SyntaxError(`gives ${type === 'dyn' ? 'any value' : `a value of type ${type}`}, not true or false`);
  const calls = callsIn(run.ast);
  if (calls.includes('matches')) throw new SyntaxError('matches() is not offered; use startsWith, endsWith, contains or ==');
  if (calls.filter((name) => loops.has(name)).length > MAX_LOOPS)
    throw new SyntaxError(`has more than ${MAX_LOOPS} loops (exists, all, map, filter)`);
  return (node) => {
    try {
      return run({ node: asSeen(node) }) === true;
    } catch (error) {
      return { error: firstLine(error instanceof Error ? error.message : String(error)) };
    }
  };
}

function parsed(text: string): ParseResult {
  try {
    return environment.parse(text);
  } catch (error) {
    throw new SyntaxError(firstLine(error instanceof Error ? error.message : String(error)));
  }
}

/** What an evaluator adds below its first line is for people at a terminal. */
const firstLine = (text: string): string => text.split('\n')[0] ?? '';

function callsIn(ast: unknown): string[] {
  if (Array.isArray(ast)) return ast.flatMap(callsIn);
  if (typeof ast !== 'object' || ast === null || !('op' in ast) || !('args' in ast)) return [];
  const { op, args } = ast;
  const name = (op === 'call' || op === 'rcall') && Array.isArray(args) && typeof args[0] === 'string' ? [args[0]] : [];
  return [...name, ...callsIn(args)];
}

const seen = new WeakMap<Node, object>();

function asSeen(node: Node): object {
  let view = seen.get(node);
  if (view) return view;
  const { name, labels, annotations, unschedulable, ready, taints, conditions, versions, createdAt } = node;
  view = {
    name,
    labels,
    annotations,
    unschedulable,
    ready,
    taints: taints.map(({ key, value, effect }) => ({ key, value, effect })),
    conditions: conditions.map(({ type, status, reason }) => ({ type, status, reason })),
    versions,
    createdAt: new Date(createdAt),
  };
  seen.set(node, view);
  return view;
}
