/** What the controller tells the outside while it works: metrics, Kubernetes events, node conditions. Sees everything, decides nothing. */
import type { Node } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import type { PodEffect } from '../engine/effect.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { Millis } from '../lib/clock.ts';

export interface Observer {
  leading(leads: boolean): void;
  passed(decisions: readonly Decision[], nodes: ReadonlyMap<string, Node>, now: Millis, tookMs: Millis): void;
  answered(maintenance: Maintenance, effect: PodEffect | NodeEffect, answer: string, message: string, now: Millis): void;
  watchRestarted(what: string): void;
}
