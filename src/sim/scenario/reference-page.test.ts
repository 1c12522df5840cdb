import { describe, expect, it } from 'vitest';
import { scenarioPage } from './reference-page.ts';
import { actionNames } from './schema.ts';

describe('scenarioPage', () => {
  const page = scenarioPage();

  it('tells type, default and meaning of a field', () => {
    expect(page).toContain(
      '| `pools[].boot` | duration, or DURATION to DURATION | `"45s to 90s"` | From asking for a machine to its node being Ready. |',
    );
    expect(page).toContain('| `workloads[].name` | text | *required* |');
  });

  it('has every kind of event', () => {
    for (const name of actionNames) expect(page).toContain(`\n| \`events[].${name}\` | object |`);
  });
});
