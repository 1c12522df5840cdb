/** What a kind does at a write, beyond what all kinds do: the names follow upstream's registry strategies. */
import type { Clock } from '../../../lib/clock.ts';
import type { KubeObject } from '../../kubernetes.ts';
import type { DeleteOptions, Kind } from '../api.ts';
import type { NameRule } from '../names.ts';
import type { FieldError } from '../refusals.ts';

/** What a strategy may ask of the server. */
export interface Server {
  readonly clock: Clock;
  readonly random: () => number;
  /** RFC 3339. */
  now(): string;
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined;
  list<T extends KubeObject>(kind: Kind<T>): readonly T[];
  /** Whether an object of the kind holds this value in the kind's own index. */
  taken(kind: Kind, value: string): boolean;
}

/** Objects are shared: a function that changes something returns a copy along the changed path, else the same reference. */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Default: an RFC 1123 subdomain. */
  readonly validName?: NameRule;
  /** Whether a change of the main part counts as a new generation; without it the kind has none. */
  newGeneration?(next: T, current: T): boolean;
  /** Default true: an update without a resourceVersion overwrites. */
  readonly unconditionalUpdate?: boolean;
  /** Default false: a PUT of an absent object is refused. */
  readonly createOnUpdate?: boolean;
  /** Owners and finalizers of garbage collection are ignored (events). */
  readonly uncollected?: boolean;
  /** A deletion that does not say otherwise leaves the dependents alone. */
  readonly orphansByDefault?: boolean;
  /** A new object keeps the status that its writer sent; otherwise it gets `newStatus`, or none. */
  readonly keepsStatus?: boolean;
  /** Metadata that a write of the status may not change. Default: none of it is protected. */
  readonly statusProtects?: 'all' | readonly ('labels' | 'ownerReferences')[];
  newStatus?(object: T, server: Server): unknown;
  /** The defaults of the API version, applied to what any client sends. */
  defaults?(object: T): T;
  /** Admission of a new object that fills something in. */
  admit?(object: T, server: Server): T;
  /** What the registry sets. */
  prepareCreate?(object: T, server: Server): T;
  prepareUpdate?(next: T, current: T, server: Server): T;
  prepareStatus?(next: T, current: T, server: Server): T;
  validate?(object: T): readonly FieldError[];
  validateUpdate?(next: T, current: T): readonly FieldError[];
  validateStatus?(next: T, current: T): readonly FieldError[];
  /** Seconds between the deletion and the end of the object. Undefined: it is gone at once. */
  grace?(object: T, options: DeleteOptions): number | undefined;
  /** Refuses a deletion by throwing. */
  admitDelete?(object: T): void;
}
