/** Nodes (kubernetes pkg/registry/core/node, pkg/apis/core/validation, plugin/pkg/admission/nodetaint). */
import type { Node, Taint } from '../../kubernetes.ts';
import { labelValueErrors, qualifiedNameErrors } from '../names.ts';
import { forbiddenField, invalidValue, type FieldError } from '../refusals.ts';
import { effectErrors } from './pod-validation.ts';
import type { Strategy } from './strategy.ts';

const notReady: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

function taintErrors(taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return (taints ?? []).flatMap((taint, at) => {
    // Upstream names the field under metadata.
    const path = `metadata.taints[${at}]`;
    const errors = qualifiedNameErrors(taint.key ?? '').map((text) => invalidValue(`${path}.key`, taint.key ?? '', text));
    const value = labelValueErrors(taint.value ?? '');
    if (value.length > 0) errors.push(invalidValue(`${path}.value`, taint.value, value.join(';')));
    errors.push(...effectErrors(taint.effect, `${path}.effect`, false));
    const id = `${taint.effect} ${taint.key}`;
    if (seen.has(id)) {
      const { key, value: text, effect, timeAdded } = taint;
      const shown = { Key: key, Value: text ?? '', Effect: effect, TimeAdded: timeAdded ?? null };
      errors.push({
        reason: 'FieldValueDuplicate',
        field: path,
        message: `Duplicate value: ${JSON.stringify(shown)}: taints must be unique by key and effect pair`,
      });
    }
    seen.add(id);
    return errors;
  });
}

function updateErrors(next: Node, current: Node): FieldError[] {
  if (next.spec === current.spec) return [];
  const errors: FieldError[] = [];
  for (const field of ['podCIDR', 'providerID'] as const)
    if (current.spec?.[field] && current.spec[field] !== next.spec?.[field])
      errors.push(
        forbiddenField(
          `spec.${field === 'podCIDR' ? 'podCIDRs' : field}`,
          `node updates may not change ${field} except from "" to valid`,
        ),
      );
  return next.spec?.taints === current.spec?.taints ? errors : [...errors, ...taintErrors(next.spec?.taints)];
}

export const nodes: Strategy<Node> = {
  // A kubelet registers its node with the status in it.
  keepsStatus: true,
  defaults: (node) => {
    // What is false is left out, as everywhere on the wire.
    const { unschedulable, ...rest } = node.spec ?? {};
    const spec = { ...rest, ...(unschedulable && { unschedulable }) };
    const { capacity, allocatable } = node.status ?? {};
    if (node.spec && unschedulable !== false && (!capacity || allocatable)) return node;
    return { ...node, spec, ...(capacity && !allocatable && { status: { ...node.status, allocatable: capacity } }) };
  },
  // Nothing is put on a node before the node controller has seen it Ready.
  admit: (node) => {
    const taints = node.spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return node;
    return { ...node, spec: { ...node.spec, taints: [...taints, notReady] } };
  },
  validate: (node) => taintErrors(node.spec.taints),
  validateUpdate: updateErrors,
};
