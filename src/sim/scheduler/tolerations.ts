/** Taints and what tolerates them (component-helpers scheduling/corev1/helpers.go). */
import type { Taint, Toleration } from '../kubernetes.ts';

/** True when this toleration covers the taint; without effect it covers every effect, with operator Exists and no key every key. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return (toleration.value ?? '') === (taint.value ?? '');
}

export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  for (const toleration of tolerations) if (tolerates(toleration, taint)) return true;
  return false;
}

/** The first NoSchedule or NoExecute taint that keeps a pod with these tolerations away. */
export function repellingTaint(taints: readonly Taint[] | undefined, tolerations: readonly Toleration[]): Taint | undefined {
  if (!taints) return undefined;
  for (const taint of taints) if (taint.effect !== 'PreferNoSchedule' && !isTolerated(taint, tolerations)) return taint;
  return undefined;
}

/** How many PreferNoSchedule taints are not tolerated: what TaintToleration scores. */
export function dislikedTaints(taints: readonly Taint[] | undefined, tolerations: readonly Toleration[]): number {
  let count = 0;
  for (const taint of taints ?? []) if (taint.effect === 'PreferNoSchedule' && !isTolerated(taint, tolerations)) count++;
  return count;
}
