import { describe, expect, it } from 'vitest';
import { readCheckConfig } from './plugin-config.ts';

// As node-problem-detector ships it (config/custom-plugin-monitor.json), with a permanent rule of config/network-problem-monitor.json's kind.
const shipped = {
  plugin: 'custom',
  pluginConfig: {
    invoke_interval: '30s',
    timeout: '5s',
    max_output_length: 80,
    concurrency: 3,
    enable_message_change_based_condition_update: false,
  },
  source: 'ntp-custom-plugin-monitor',
  metricsReporting: true,
  conditions: [{ type: 'NTPProblem', reason: 'NTPIsUp', message: 'ntp service is up' }],
  rules: [
    { type: 'temporary', reason: 'NTPIsDown', path: './config/plugin/check_ntp.sh', timeout: '3s' },
    {
      type: 'permanent',
      condition: 'NTPProblem',
      reason: 'NTPIsDown',
      path: './config/plugin/check_ntp.sh',
      timeout: '3s',
      args: ['-x'],
    },
  ],
};

const read = (config: unknown) => readCheckConfig(typeof config === 'string' ? config : JSON.stringify(config), 'ntp.json');
const rule = (change: object) => ({ ...shipped, rules: [{ ...shipped.rules[1], ...change }] });

describe('a file of checks', () => {
  it('of node-problem-detector loads as it is', () => {
    expect(read(shipped)).toEqual({
      file: 'ntp.json',
      source: 'ntp-custom-plugin-monitor',
      concurrency: 3,
      maxOutputLength: 80,
      tellsMessages: false,
      conditions: shipped.conditions,
      rules: [
        {
          type: 'temporary',
          condition: '',
          reason: 'NTPIsDown',
          path: './config/plugin/check_ntp.sh',
          args: [],
          timeoutMs: 3_000,
          everyMs: 30_000,
        },
        {
          type: 'permanent',
          condition: 'NTPProblem',
          reason: 'NTPIsDown',
          path: './config/plugin/check_ntp.sh',
          args: ['-x'],
          timeoutMs: 3_000,
          everyMs: 30_000,
        },
      ],
    });
  });

  it("has node-problem-detector's defaults, and Go's durations", () => {
    const { rules, concurrency, maxOutputLength } = read({
      ...rule({ timeout: undefined, invoke_interval: '1m30.5s' }),
      pluginConfig: undefined,
    });
    expect({ concurrency, maxOutputLength, rules }).toMatchObject({
      concurrency: 3,
      maxOutputLength: 80,
      rules: [{ timeoutMs: 5_000, everyMs: 90_500 }],
    });
  });

  it.each([
    ['{', 'ntp.json: is not JSON: '],
    ['[]', 'ntp.json: must be a map'],
    [{ ...shipped, plugin: 'kmsg' }, 'ntp.json: plugin: must be "custom"'],
    [{ ...shipped, pluginConfig: { timeout: '5' } }, 'pluginConfig.timeout: must be a duration like "30s"'],
    [{ ...shipped, pluginConfig: { concurrency: 0 } }, 'pluginConfig.concurrency: must be a whole number from 1 on'],
    [
      { ...shipped, conditions: [{ type: 'Ready', reason: 'a', message: 'b' }] },
      'conditions[0].type: Ready is written by the kubelet or by Drover',
    ],
    [
      { ...shipped, conditions: [{ type: 'A B', reason: 'a', message: 'b' }] },
      'conditions[0].type: must be the type of a condition',
    ],
    [rule({ type: 'sometimes' }), 'rules[0].type: must be permanent or temporary'],
    [rule({ condition: 'Other' }), 'rules[0].condition: "Other" is not in conditions'],
    [rule({ timeout: '6s' }), 'rules[0].timeout: must not be longer than pluginConfig.timeout'],
    [rule({ path: '' }), 'rules[0].path: must be a text'],
    [rule({ args: [1] }), 'rules[0].args[0]: must be a text'],
  ])('that is %j is refused with the path of the field', (config, message) => {
    expect(() => read(config)).toThrow(message);
  });
});
