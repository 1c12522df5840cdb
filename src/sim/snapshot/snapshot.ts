/** A cluster at one moment, as far as the simulation reads it. */
import type { Millis } from '../../lib/clock.ts';
import type { KubeObject } from '../kubernetes.ts';

export interface MissingKind {
  /** Plural name. */
  readonly kind: string;
  /** What happened, and what is assumed without it. */
  readonly why: string;
}

export interface Snapshot {
  /** When the last object was read, and not before anything in it: the time at which a simulation begins. */
  readonly takenAt: Millis;
  /** Address of the API server, for messages. */
  readonly server: string;
  /** Reduced, equal parts shared, owners before what they own: for `Api.load`. Drover's own kinds need their CRDs first. */
  readonly objects: readonly KubeObject[];
  /** Kinds that could not be read. */
  readonly missing: readonly MissingKind[];
}
