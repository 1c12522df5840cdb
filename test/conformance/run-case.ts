import type { Case, Subject } from './case.ts';
import { normalise } from './normalise.ts';

/** "eviction" and 3 give "c-eviction-03": a name that no case has twice and that is no word of any message. */
export const namespaceOf = (subject: string, index: number): string => `c-${subject}-${String(index).padStart(2, '0')}`;

/** The case's observation, normalised. */
export async function observe(which: Case, subject: Subject): Promise<unknown> {
  return normalise(await which.run(subject), subject.namespace);
}
