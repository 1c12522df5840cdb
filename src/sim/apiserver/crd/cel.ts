/** Validation rules in the Common Expression Language, by a library: the expressions of CRDs, without Kubernetes' own functions (isURL, quantity ...). */
import { parse } from '@marcbachmann/cel-js';
import type { EvaluateRule } from './rules.ts';

/** One that remembers the rules it has parsed: a status is checked against dozens of them in every write. */
export function createCelEvaluator(): EvaluateRule {
  const parsed = new Map<string, ReturnType<typeof parse>>();
  return (rule, self, oldSelf) => {
    let run = parsed.get(rule);
    if (!run) parsed.set(rule, (run = parse(rule)));
    return run(oldSelf === undefined ? { self } : { self, oldSelf });
  };
}
