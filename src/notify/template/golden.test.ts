/** Held to what Go's own text/template answers: test/golden/notify/go writes golden.json. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../api/template/lex.ts';
import { functionNames } from '../../api/template/markers.ts';
import { parseTemplate } from '../../api/template/parse.ts';
import { render } from './render.ts';

interface Answer {
  readonly template: string;
  readonly text?: string;
  readonly fails?: 'Parse' | 'Run';
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/notify/golden.json', import.meta.url), 'utf8'),
) as readonly Answer[];

const values = {
  Event: { EventId: 'ev-1', EventType: 'Preempt', Resources: ['vm_0', 'vm_1'], DurationInSeconds: -1 },
  NodeName: 'worker-1',
  NodeLabels: new Map([
    ['zone', 'eu-1'],
    ['app.kubernetes.io/name', 'x'],
    ['empty', ''],
  ]),
  NodePods: ['web-1', 'web-2', 'db-0'],
  Message: 'quoted "text" with <tags> & \'more\'\nand a line, \u00e9\u4e16\u754c',
  Pods: 3,
  Policy: 'nightly',
  None: [],
  Yes: true,
  Counts: new Map([
    ['b', 2],
    ['a', 1],
  ]),
};

function answerOf(template: string): Pick<Answer, 'text' | 'fails'> {
  let fails: 'Parse' | 'Run' = 'Parse';
  try {
    const parsed = parseTemplate(template, { functions: new Set(functionNames) });
    fails = 'Run';
    return { text: render(parsed, values) };
  } catch (error) {
    if (error instanceof TemplateError) return { fails };
    throw error;
  }
}

describe('a template', () => {
  it('is held to a hundred cases and more', () => {
    expect(golden.length).toBeGreaterThan(100);
  });

  it.each(golden.map((each) => [each.template, each] as const))('%j is answered as by Go', (_, { template, text, fails }) => {
    const answer = answerOf(template);
    // What Go finds out when it runs may be refused where it is read, not the other way round.
    if (fails === 'Run') expect(answer.fails).toMatch(/^(Parse|Run)$/);
    else expect(answer).toEqual({ ...(text !== undefined && { text }), ...(fails && { fails }) });
  });
});
