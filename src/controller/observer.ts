/** What the controller tells the outside while it works: metrics, Kubernetes events, node conditions. Sees everything, decides nothing. */
import type { Node } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import type { PodEffect } from '../engine/effect.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import type { Millis } from '../lib/clock.ts';

/** What the controller watches, as it is now. */
export interface Watched {
  policies(): Iterable<MaintenancePolicy>;
  maintenances(): Iterable<NodeMaintenance>;
  maintenance(name: string): NodeMaintenance | undefined;
}

export interface Observer {
  /** Once, before everything else. */
  watching?(watched: Watched): void;
  leading(leads: boolean): void;
  passed(decisions: readonly Decision[], nodes: ReadonlyMap<string, Node>, now: Millis, tookMs: Millis): void;
  answered(maintenance: Maintenance, effect: PodEffect | NodeEffect, answer: string, message: string, now: Millis): void;
  watchRestarted(what: string): void;
  /** The breaker of a policy has opened, or was closed. @param isNews false: only this process did not know */
  breakerTurned?(
    policy: { readonly name: string; readonly uid: string },
    breaker: { readonly open: boolean; readonly failures: number },
    isNews: boolean,
  ): void;
  /** A gate was asked. */
  gateAnswered?(ask: string, result: 'Open' | 'Closed' | 'Unanswered'): void;
}
