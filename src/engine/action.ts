/** What is done to an empty node, with every duration in milliseconds: what the engine reads. Absent in a maintenance that only drains. */
import type { Millis } from '../lib/clock.ts';

export interface RebootSettings {
  readonly method: 'Command' | 'Systemd' | 'Signal';
  readonly command: readonly string[];
  readonly signal: number;
  readonly bootIdFile: string;
  readonly image: string;
  /** Absent: Windows nodes are not taken out. */
  readonly windowsImage?: string;
  readonly namespace: string;
  readonly timeoutMs: Millis;
  readonly delayBeforeMs: Millis;
  readonly attempts: number;
}

export interface VerifySettings {
  readonly readyTimeoutMs: Millis;
  readonly requiredConditions: readonly { readonly type: string; readonly status: string }[];
  readonly daemonSetsUp: boolean;
  readonly healthyForMs: Millis;
}

export interface HookSettings {
  readonly namespace: string;
  /** A JobTemplateSpec as a person wrote it. */
  readonly template: Readonly<Record<string, unknown>>;
  readonly onNode: boolean;
  readonly timeoutMs: Millis;
  readonly onFailure: 'Stop' | 'Continue';
}

export interface Action {
  readonly kind: 'Reboot' | 'Delete' | 'Hook';
  /** Of the NodeMaintenance: pods and Jobs are named after it and belong to it. Empty while its creation is not answered. */
  readonly uid: string;
  readonly reboot: RebootSettings;
  readonly verify: VerifySettings;
  readonly before?: HookSettings;
  readonly after?: HookSettings;
}

export type FailureCause = 'RebootFailed' | 'VerifyFailed' | 'HookFailed';

/** What has been done so far. It lives in the status, and is written there before anything is done to the node. */
export interface Acted {
  readonly since: Millis;
  /** Counted over the whole maintenance: no two attempts share a pod's name. */
  readonly attempt: number;
  /** Pods that have failed without a reboot since the node was drained. */
  readonly failures: number;
  /** False: given up before anything was done; the next drain begins another attempt. */
  readonly open: boolean;
  readonly bootIdBefore?: string;
  readonly bootIdAfter?: string;
  /** "namespace/name" */
  readonly pod?: string;
  readonly healthySince?: Millis;
  readonly doneAt?: Millis;
  readonly failure?: { readonly cause: FailureCause; readonly message: string };
}

/** As in the schema (api/action-spec.ts); a test holds the two together. The namespace is the controller's. */
export const defaultReboot: Omit<RebootSettings, 'namespace'> = {
  method: 'Command',
  command: ['systemctl', 'reboot'],
  signal: 39,
  bootIdFile: '/proc/sys/kernel/random/boot_id',
  image: 'busybox:1.37',
  timeoutMs: 900_000,
  delayBeforeMs: 0,
  attempts: 1,
};

export const defaultVerify: VerifySettings = {
  readyTimeoutMs: 600_000,
  requiredConditions: [],
  daemonSetsUp: true,
  healthyForMs: 30_000,
};
