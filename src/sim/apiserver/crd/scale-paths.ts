/** The scale subresource of a custom resource: where its numbers stand. */
import { jsonPath } from './json-path.ts';
import type { FieldError } from '../refusals.ts';
import { invalidField } from './field-errors.ts';

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

const MOST = 2 ** 31 - 1;

/** The replicas must be numbers that fit: apiextensions pkg/registry/customresource/validator.go. */
export function scaleErrors(object: unknown, paths: ScalePaths | undefined, only?: 'status'): FieldError[] {
  if (!paths) return [];
  const errors = only ? [] : replicasErrors(object, paths.specReplicasPath);
  errors.push(...replicasErrors(object, paths.statusReplicasPath));
  const selector = paths.labelSelectorPath;
  const [found] = selector === undefined ? [] : (jsonPath(selector)?.(object) ?? []);
  if (selector !== undefined && found !== undefined && typeof found !== 'string') {
    errors.push(
      invalidField(selector, '', `${selector} accessor error: ${JSON.stringify(found)} is of the wrong type, expected string`),
    );
  }
  return errors;
}

function replicasErrors(object: unknown, path: string): FieldError[] {
  const [replicas = 0] = jsonPath(path)?.(object) ?? [];
  if (typeof replicas !== 'number') {
    return [invalidField(path, 0, `${path} accessor error: ${JSON.stringify(replicas)} is of the wrong type, expected int64`)];
  }
  if (replicas < 0) return [invalidField(path, replicas, 'should be a non-negative integer')];
  return replicas > MOST ? [invalidField(path, replicas, `should be less than or equal to ${MOST}`)] : [];
}
