/**
 * A rule about a value that must hold in two places: in the API server, as a CEL expression, and here. It is written once,
 * with one sentence, so that a person reads the same refusal from `kubectl apply` and from the CLI.
 */
import type * as z from 'zod';

export interface Rule<T> {
  /** CEL over `self`, after defaults. */
  readonly cel: string;
  readonly message: string;
  /** The property that the refusal points at; absent: the value itself. It need not be set. */
  readonly field?: string;
  /** The same, here. Absent only for a rule about a change (`oldSelf`), which only the server can judge. */
  readonly holds?: (value: T) => boolean;
}

/** The key under which apiextensions reads CEL rules. */
const VALIDATIONS = 'x-kubernetes-validations';

export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const checked = schema.superRefine((value, context) => {
    // As in the API server: rules are not asked about a value whose parts are wrong, and may rely on their form.
    if (context.issues.length > 0) return;
    for (const rule of rules) {
      if (!rule.holds || rule.holds(value)) continue;
      context.addIssue({ code: 'custom', message: rule.message, path: rule.field === undefined ? [] : [rule.field] });
    }
  });
  return checked.meta({
    [VALIDATIONS]: rules.map(({ cel, message, field }) => ({
      rule: cel,
      message,
      ...(field !== undefined && { fieldPath: `.${field}` }),
    })),
  });
}
