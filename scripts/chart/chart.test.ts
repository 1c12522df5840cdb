import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { adoptAll } from '../../src/cli/adopt/tools.ts';
import { chartValues as adoptedValues } from '../../src/cli/adopt/values.ts';
import type { RawObject } from '../../src/cli/adopt/workload.ts';
import { merge } from '../../test/beds/objects.ts';
import { alerts, EXAMPLE_AGENT } from './from-examples.ts';
import { chartFiles } from './generated.ts';
import { valuesOf } from './readme.ts';
import { chartValues } from './values-schema.ts';

const root = new URL('../../', import.meta.url);
const source = (path: string) => readFileSync(new URL(path, root), 'utf8');
const folder = (path: string) => readdirSync(fileURLToPath(new URL(path, root)));

const valuesText = source('charts/drover/values.yaml');
const values = parse(valuesText) as Record<string, unknown>;
const known = valuesOf(valuesText);
const files = chartFiles(source);

/** "controller.replicas": of strict objects only; what Kubernetes knows is one value. */
function pathsOf(schema: z.ZodType, at = ''): string[] {
  if (!(schema instanceof z.ZodObject) || !(schema.def.catchall instanceof z.ZodNever) || at.endsWith('config')) return [at];
  return Object.entries(schema.shape).flatMap(([key, part]) => pathsOf(part as z.ZodType, at === '' ? key : `${at}.${key}`));
}

describe('values.yaml', () => {
  it('explains every value', () => {
    expect(known.filter(({ comment }) => comment === '').map(({ path }) => path)).toEqual([]);
  });

  it('has every value that the schema knows, and no other', () => {
    const inSchema = pathsOf(chartValues).filter((path) => path !== 'global');
    expect(known.map(({ path }) => path).toSorted()).toEqual(inSchema.toSorted());
  });

  it('is what the schema accepts, alone and under each of the values files that the chart is tried with', () => {
    expect(chartValues.safeParse(values).error?.issues ?? []).toEqual([]);
    for (const name of folder('charts/drover/ci')) {
      const over = merge(values, parse(source(`charts/drover/ci/${name}`)) as Record<string, unknown>);
      expect([name, chartValues.safeParse(over).error?.issues ?? []]).toEqual([name, []]);
    }
  });

  it.each(folder('test/golden/adopt').filter((name) => name.endsWith('.yaml')))('takes what drover adopt makes of %s', (name) => {
    const objects = parseAllDocuments(source(`test/golden/adopt/${name}`)).map((document) => document.toJS() as RawObject);
    const adopted = adoptedValues(adoptAll(objects));
    expect(adopted).not.toBeNull();
    expect(chartValues.safeParse(merge(values, { ...adopted })).error?.issues ?? []).toEqual([]);
  });

  it('holds no value that no template reads', () => {
    const templates = folder('charts/drover/templates')
      .map((name) => source(`charts/drover/templates/${name}`))
      .join('\n');
    const unread = known.filter(({ path }) => !new RegExp(`\\.${path.split('.').at(-1)}\\b`).test(templates));
    expect(unread.map(({ path }) => path)).toEqual([]);
  });
});

describe('the chart', () => {
  it.each(Object.keys(files))('%s is in step with what it is made from (npm run generate)', (path) => {
    expect(source(path)).toBe(files[path]?.());
  });

  it('is of the version of the package', () => {
    const { version, appVersion } = parse(source('charts/drover/Chart.yaml')) as Record<string, string>;
    const { version: released } = JSON.parse(source('package.json')) as { version: string };
    expect({ version, appVersion }).toEqual({ version: released, appVersion: released });
  });

  it('names the account of the example in its admission policy, for the template to replace', () => {
    const policy = source('charts/drover/files/agent-admission.yaml');
    expect(policy.split(EXAMPLE_AGENT)).toHaveLength(2);
    expect(source('charts/drover/templates/agent-rights.yaml')).toContain(`replace "${EXAMPLE_AGENT}"`);
  });

  it('alerts on metrics that there are', () => {
    const page = source('docs/reference/metrics.md');
    const named = [...alerts(page).matchAll(/\b(drover_\w+)/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
  });
});
