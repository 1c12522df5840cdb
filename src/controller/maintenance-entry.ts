import type { JournalEntry, NodeMaintenance, NodeMaintenanceStatus } from '../api/resources.ts';
import type { Decision } from '../engine/decide.ts';
import type { Maintenance, MaintenanceState } from '../engine/maintenance.ts';
import type { CompiledSpec } from './compile.ts';

/** What the store knows of one maintenance. */
export interface Entry {
  object: NodeMaintenance | null; // null: adopted, there is no object
  spec: CompiledSpec;
  state: MaintenanceState;
  /** Spec, state and memory as the engine sees them; null: one of them has changed since. */
  composed: { readonly maintenance: Maintenance; readonly spec: CompiledSpec; readonly object: NodeMaintenance | null } | null;
  /** As the object has it, or will have it once the write under way is answered. */
  written: NodeMaintenanceStatus | undefined;
  /** What the next status is made of; null: nothing new has been decided. */
  decision: Decision | null;
  /** Done since the last write, for the journal. */
  done: JournalEntry[];
  writing: boolean;
  /** A write failed a moment ago. */
  refused: boolean;
  cancelTimer: (() => void) | null;
  housekeeping: boolean;
  /** The pause is on its way, or was refused a moment ago. */
  pausing: boolean;
  /** What was announced for the machine is on its way, or was refused a moment ago. */
  announcing: boolean;
  /** Its creation is on its way: the object is what was posted. */
  unborn: boolean;
  /** A write is about to begin. */
  due: boolean;
}

export const idle = (): Omit<Entry, 'object' | 'spec' | 'state' | 'written'> => ({
  decision: null,
  composed: null,
  done: [],
  writing: false,
  refused: false,
  cancelTimer: null,
  housekeeping: false,
  pausing: false,
  announcing: false,
  unborn: false,
  due: false,
});
