/** What the controller asks of its store beside what the runner does. `maintenance-store.ts` keeps it. */
import type { Node } from '../api/objects.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import type { PodEffect } from '../engine/effect.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { Millis } from '../lib/clock.ts';
import type { History, Match } from './matcher.ts';
import type { Notice } from '../reasons/notice.ts';
import type { NoticeChange } from './notice-change.ts';
import type { MaintenanceStore } from './runner.ts';

export interface ApiStore extends MaintenanceStore, History {
  /** When those maintenances of a policy that have failed did so. */
  failures(policy: string): readonly Millis[];
  /** From the watch. */
  see(object: NodeMaintenance): void;
  gone(name: string): void;
  /** Creates the maintenance of a node that a policy wants. Idempotent: the name follows from node and policy. */
  create(nodeName: string, nodeUid: string, match: Match): void;
  /** The living maintenance of a node. */
  of(nodeName: string): Maintenance | undefined;
  /** A maintenance that exists only to take back what an object that is gone has left behind. */
  adopt(id: string, nodeName: string): void;
  object(id: string): NodeMaintenance | undefined;
  /** For the journal in the status. */
  noteDone(maintenance: Maintenance, effect: PodEffect | NodeEffect, now: Millis): void;
  /** True while a maintenance of this node and policy has ended although its reason still held: it is not begun again by itself. */
  isSpent(node: Pick<Node, 'name' | 'createdAt'>, policy: string, notice?: Notice): boolean;
  /** Writes into the maintenance what was announced for its machine. */
  announce(maintenance: Maintenance, change: NoticeChange): void;
  /** Looks at the ended ones of a node: those whose reason has gone no longer stand in the way of a new one. False: look again later. */
  reviewEnded(nodeName: string, holds: (maintenance: Maintenance) => boolean): boolean;
  /** Forgets what was decided in memory: another leader has decided since. */
  reset(): void;
  /** Writes what is still to be written. */
  flush(): Promise<void>;
}
