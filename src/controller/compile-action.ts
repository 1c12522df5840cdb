/** What is done to an empty node: as people write it and as the status has it -> as the engine reads it. */
import { parseDuration } from '../api/duration.ts';
import type { Acted as WrittenActed, HookSpec, NodeMaintenance, RebootSpec, VerifySpec } from '../api/resources.ts';
import { type Acted, type Action, defaultReboot, defaultVerify, type HookSettings } from '../engine/action.ts';
import { isoSeconds } from '../engine/journal.ts';

type WrittenAction = Pick<NodeMaintenance['spec'], 'action' | 'reboot' | 'verify' | 'hooks'>;

/** Namespaces of what acts on a node and names none. */
export interface ActingNamespaces {
  readonly reboots: string;
  readonly hooks: string;
}

/** undefined: it is drained, and no more. @param uid of the NodeMaintenance */
export function compileAction(
  uid: string,
  { action: kind, reboot, verify, hooks }: WrittenAction,
  namespaces: ActingNamespaces,
): Action | undefined {
  if (kind === 'Drain') return undefined;
  const hook = ({ namespace, template, onNode, timeout, onFailure }: HookSpec): HookSettings => ({
    namespace: namespace ?? namespaces.hooks,
    template,
    onNode,
    timeoutMs: parseDuration(timeout),
    onFailure,
  });
  return {
    kind,
    uid,
    reboot: { ...(reboot ? compileReboot(reboot) : defaultReboot), namespace: reboot?.namespace ?? namespaces.reboots },
    verify: verify ? compileVerify(verify) : defaultVerify,
    ...(hooks?.before && { before: hook(hooks.before) }),
    ...(hooks?.after && { after: hook(hooks.after) }),
  };
}

function compileReboot(spec: RebootSpec): Omit<Action['reboot'], 'namespace'> {
  return {
    method: spec.method,
    command: spec.command ?? defaultReboot.command,
    signal: spec.signal ?? defaultReboot.signal,
    bootIdFile: spec.bootIdFile ?? defaultReboot.bootIdFile,
    image: spec.image ?? defaultReboot.image,
    ...(spec.windowsImage !== undefined && { windowsImage: spec.windowsImage }),
    timeoutMs: parseDuration(spec.timeout),
    delayBeforeMs: parseDuration(spec.delayBefore),
    attempts: spec.attempts,
  };
}

function compileVerify(spec: VerifySpec): Action['verify'] {
  return {
    readyTimeoutMs: parseDuration(spec.readyTimeout),
    requiredConditions: spec.requiredConditions,
    daemonSetsUp: spec.daemonSetsUp,
    healthyForMs: parseDuration(spec.healthyFor),
  };
}

export function actedOf({ since, healthySince, doneAt, ...rest }: WrittenActed): Acted {
  return {
    ...rest,
    since: Date.parse(since),
    ...(healthySince !== undefined && { healthySince: Date.parse(healthySince) }),
    ...(doneAt !== undefined && { doneAt: Date.parse(doneAt) }),
  };
}

/** The other way, for the status. */
export function writtenActed({ since, healthySince, doneAt, ...rest }: Acted): WrittenActed {
  return {
    ...rest,
    since: isoSeconds(since),
    ...(healthySince !== undefined && { healthySince: isoSeconds(healthySince) }),
    ...(doneAt !== undefined && { doneAt: isoSeconds(doneAt) }),
  };
}
