import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { crds } from '../../api/crd.ts';
import { aksFlags } from './aks-flags.ts';
import { awsFlags } from './aws-flags.ts';
import { drainoFlags, ektopistisFlags } from './draino-flags.ts';
import type { FlagTable } from './flag-table.ts';
import { kuredFlags } from './kured-flags.ts';

const page = (name: string) => readFileSync(new URL(`../../../docs/coming-from-${name}.md`, import.meta.url), 'utf8');

/** Rows of a page's tables: setting -> fields. */
function rowsOf(text: string): Map<string, { readonly initial: string; readonly becomes: string[] }> {
  const rows = text.matchAll(/^\|\s*`([^`]+)`\s*\|\s*(?:`([^`]*)`)?\s*\|\s*([^|]*?)\s*\|.*\|$/gm);
  return new Map(
    [...rows].map(([, setting = '', initial = '', becomes = '']) => [
      setting,
      { initial, becomes: [...becomes.matchAll(/`([^`]+)`/g)].map(([, field = '']) => field) },
    ]),
  );
}

it.each<[string, FlagTable, number]>([
  ['kured', kuredFlags, 43],
  ['aks-node-termination-handler', aksFlags, 33],
  ['aws-node-termination-handler', awsFlags, 51],
  ['draino', { ...drainoFlags, ...ektopistisFlags }, 23],
])('the page of %s has a row for each setting, and tells of it what drover adopt does', (name, flags, count) => {
  const expected = Object.entries(flags).map(([flag, { initial, becomes }]) => [flag, { initial, becomes: [...becomes] }]);
  expect(expected).toHaveLength(count);
  expect(rowsOf(page(name))).toEqual(new Map(expected as [string, unknown][]));
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** "spec.reasons[].signal.kinds" */
function hasField(schema: Schema, path: string): boolean {
  const found = path.split('.').reduce<Schema | undefined>((at, word) => {
    const next = at?.properties?.[word.replace('[]', '')];
    return word.endsWith('[]') ? next?.items : next;
  }, schema);
  return found !== undefined;
}

it('every field of a policy that the tables name is in its schema', () => {
  const definitions = crds() as unknown as readonly Definition[];
  const definition = definitions.find(({ spec }) => spec.names.kind === 'MaintenancePolicy');
  const schema = definition?.spec.versions[0]?.schema.openAPIV3Schema ?? {};
  const tables = [kuredFlags, aksFlags, awsFlags, drainoFlags, ektopistisFlags];
  const fields = new Set(tables.flatMap((each) => Object.values(each).flatMap(({ becomes }) => becomes)));
  const ofPolicies = [...fields].filter((field) => field.startsWith('spec.'));
  expect(ofPolicies.length).toBeGreaterThan(15);
  expect(ofPolicies.filter((field) => !hasField(schema, field) && !isComing(schema, field))).toEqual([]);
  expect([...fields].filter((field) => !/^(spec|agent)\.\w/.test(field))).toEqual([]);
});

/** A version without reboots, gates or notices has nothing below these; one with them has to have the rest, too. */
function isComing(schema: Schema, field: string): boolean {
  const [, top = ''] = field.split('.');
  return ['reboot', 'gates', 'notify'].includes(top) && !schema.properties?.['spec']?.properties?.[top];
}
