/** What a configuration must be to be applied: its lists by key have each element once, known by its key. */
import { elementsByEdge, mergesElements } from './field-walk.ts';
import { printPath } from './field-set.ts';
import { isList, isObject, type JsonObject, textOf } from './json-value.ts';
import { patchError } from './patch-failure.ts';
import type { Shape } from './shape.ts';

/** Throws Failure 500 in the words of typed.Validate. */
export function checkConfig(config: JsonObject, shape: Shape): void {
  const faults = faultsOf(config, shape, '');
  if (faults.length === 0) return;
  const [version = '', group] = textOf(config, 'apiVersion').split('/').reverse();
  const gvk = `${group ?? ''}/${version}, Kind=${textOf(config, 'kind')}`;
  const object = `${textOf(config.metadata, 'namespace')}/${textOf(config.metadata, 'name')}; ${gvk}`;
  const text = faults.length === 1 ? faults[0] : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  throw patchError(`failed to create typed patch object (${object}): ${text}`);
}

function faultsOf(value: unknown, shape: Shape | undefined, path: string): string[] {
  if (!shape || shape.atomic) return [];
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, inner]) => faultsOf(inner, shape.field?.(name), `${path}.${name}`));
  }
  if (!isList(value) || !mergesElements(shape)) return [];
  try {
    return [...elementsByEdge(shape, value)].flatMap(([edge, elements]) => [
      ...(elements.length > 1 ? [`${path}: duplicate entries for key ${printPath([edge])}`] : []),
      ...elements.flatMap((element) => faultsOf(element, shape.element, `${path}${printPath([edge])}`)),
    ]);
  } catch (fault) {
    if (fault instanceof Error) return [`${path}: ${fault.message}`];
    throw fault;
  }
}
