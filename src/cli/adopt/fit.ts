import { parsePolicy } from '../../api/validate.ts';
import { CommandError } from '../errors.ts';
import type { DraftPolicy } from './adoption.ts';

/** Fields that a version may lack without the policy meaning something else: less is told, or fewer gates are asked. */
const optional = /^spec\.(notify|gates|reboot|verify|action)\b/;

export interface Fitted {
  readonly policy: DraftPolicy;
  /** Top-level fields that this version of Drover refuses. */
  readonly left: readonly string[];
}

/**
 * The policy as this version of Drover takes it.
 * @throws CommandError where it refuses what cannot be left out
 */
export function fit(draft: DraftPolicy): Fitted {
  const parsed = parsePolicy(draft);
  if (parsed.ok) return { policy: draft, left: [] };
  const refused = new Set(parsed.errors.map(({ path }) => optional.exec(path)?.[1] ?? ''));
  if (refused.has('')) {
    const [first] = parsed.errors.filter(({ path }) => !optional.test(path));
    throw new CommandError(
      `policy ${draft.metadata.name}: ${first?.path}: ${first?.message}; please correct the setting that it comes from`,
    );
  }
  if (refused.has('action')) refused.add('reboot');
  const spec = Object.fromEntries(Object.entries(draft.spec).filter(([field]) => !refused.has(field)));
  const left = [...refused].filter((field) => field in draft.spec);
  const rest = fit({ ...draft, spec });
  return { policy: rest.policy, left: [...left, ...rest.left] };
}
