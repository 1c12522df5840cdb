import { describe, expect, it } from 'vitest';
import { alertsQuery, heldBy, matcherText } from './alerts.ts';

const names = ['Watchdog', 'NodeRebootRequired', 'KubeAPIDown', 'KubeAPIDown'];

describe('the alerts that hold back', () => {
  it('are all of them, each once, where nothing is said', () => {
    expect(heldBy(names, { matchers: [] })).toEqual(['KubeAPIDown', 'NodeRebootRequired', 'Watchdog']);
  });

  it("are all but the ignored ones: kured's --alert-filter-regexp, anywhere in the name", () => {
    expect(heldBy(names, { ignore: 'Reboot|^Watch', matchers: [] })).toEqual(['KubeAPIDown']);
  });

  it('are the chosen ones alone: with --alert-filter-match-only', () => {
    expect(heldBy(names, { only: '(?i)reboot|^watch', matchers: [] })).toEqual(['NodeRebootRequired', 'Watchdog']);
  });
});

describe('the query', () => {
  it('is for firing alerts, or for all', () => {
    expect(alertsQuery(false, [])).toBe('ALERTS{alertstate="firing"}');
    expect(alertsQuery(true, [])).toBe('ALERTS{}');
  });

  it('quotes what a matcher holds, so that it stays a value', () => {
    const matcher = { label: 'team', operator: '!~', value: 'a"b\\c\n' } as const;
    expect(matcherText(matcher)).toBe('team!~"a\\"b\\\\c\\n"');
    expect(alertsQuery(false, [matcher])).toBe(`ALERTS{alertstate="firing",${matcherText(matcher)}}`);
  });
});
