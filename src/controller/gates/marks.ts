/** What a person has set on an object with the command line: who, and when. */
import { annotations } from '../../api/names.ts';
import type { MaintenancePolicy } from '../../api/resources.ts';
import type { Approval } from '../../engine/gates/gate.ts';

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** null: there is none, or it cannot be read. A mark that cannot be read allows nothing. */
export function markOf({ annotations }: Annotated, key: string): Approval | null {
  const text = annotations?.[key];
  if (text === undefined) return null;
  try {
    const { by, at } = JSON.parse(text) as { readonly by?: unknown; readonly at?: unknown };
    const time = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    return typeof by === 'string' && by !== '' && Number.isFinite(time) ? { by: by.slice(0, 256), at: time } : null;
  } catch {
    return null;
  }
}

/** @param at ISO 8601 */
export function markText(by: string, at: string): string {
  return JSON.stringify({ by, at });
}

/** A policy's marks do not raise its generation. */
export function sameMarks(before: MaintenancePolicy | undefined, after: MaintenancePolicy): boolean {
  return [annotations.approved, annotations.resumed].every(
    (key) => before?.metadata.annotations?.[key] === after.metadata.annotations?.[key],
  );
}
