/** What a case of the truth test is, whichever bed it takes place on. */
import type { Afterwards } from '../../../src/cli/plan/simulate.ts';
import type { Bed } from '../../beds/bed.ts';
import type { KubeObject } from '../../beds/objects.ts';
import { type Cluster, policyObject } from '../cluster.ts';

/** Namespace of all that a case creates. */
export const NS = 'shop';
/** Label of the nodes that are to go. */
export const DUE = 'maintenance';

export interface TruthCase {
  readonly name: string;
  /** What holds it up, for the table. */
  readonly boundBy: string;
  /** Those that are to go, with the pods of the case on them before the others are there. */
  readonly old: readonly KubeObject[];
  readonly fresh: readonly KubeObject[];
  /** In their order; Deployments are scaled up step by step. */
  readonly objects: readonly KubeObject[];
  /** Of the policy, beside selector and reason. */
  readonly policy: { readonly disruption: object; readonly drain?: object };
  readonly afterwards: Afterwards;
  /** How many of the old nodes never get drained. */
  readonly stuckNodes: number;
}

export interface StartedBed extends Bed {
  /** Creates nodes and waits until they are Ready. */
  addNodes(nodes: readonly KubeObject[]): Promise<void>;
  /** From the deletion of a pod of the case until it is gone: what a person would tell the plan. Its pods are all Ready before and after. */
  stopTime(cluster: Cluster, settled: () => Promise<void>): Promise<number>;
  stop(): Promise<void>;
}

export interface TruthBed<Case extends TruthCase = TruthCase> {
  readonly name: string;
  /** Between two steps in which Deployments grow, a fifth of their pods each. */
  readonly stepMs: number;
  /** A cluster without nodes. */
  readonly start: (truthCase: Case) => Promise<StartedBed>;
}

export interface Outcome {
  /** From the first node that begins until the last one that is drained. */
  readonly makespanMs: number;
  /** Nodes that never got drained, in order. */
  readonly blockedNodes: readonly string[];
  /** "namespace/name" of the pods that kept them, in order. */
  readonly blockedPods: readonly string[];
}

export const policyOf = ({ policy: { disruption, drain = {} } }: TruthCase): KubeObject =>
  policyObject('truth', {
    nodeSelector: { matchLabels: { pool: 'old' } },
    reasons: [{ type: 'Label', label: { key: DUE } }],
    disruption: { massTrigger: '100%', ...disruption },
    drain,
  });
