import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { formatFieldErrors, parsePolicy } from '../../src/api/validate.ts';

const folder = new URL('../../examples/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');
const policies = readdirSync(folder).filter((file) => file.startsWith('policy'));

describe('examples', () => {
  it('include policies', () => {
    expect(policies.length).toBeGreaterThan(2);
  });

  it.each(policies)('%s is a policy that the API server takes', (file) => {
    const parsed = parsePolicy(parse(read(file)));
    expect(parsed.ok ? [] : formatFieldErrors('MaintenancePolicy', file, parsed.errors)).toEqual([]);
  });

  it.each(readdirSync(folder).filter((file) => file.endsWith('.yaml')))('%s is YAML in which every document is a Kubernetes object', (file) => {
    for (const document of parseAllDocuments(read(file))) {
      expect(document.errors).toEqual([]);
      expect(document.toJS()).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String), metadata: { name: expect.any(String) } });
    }
  });

  it('policy.yaml is what the README shows', () => {
    const shown = /```yaml\n(apiVersion: drover\.dev[\s\S]*?)```/.exec(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))?.[1];
    expect(shown).toBe(read('policy.yaml'));
  });
});
