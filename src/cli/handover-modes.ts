/** The modes of handover as flags write them -> as a drain's settings name them. */
export const handoverModes = { never: 'Never', 'when-needed': 'WhenNeeded', always: 'Always' } as const;

export type HandoverFlag = keyof typeof handoverModes;

export const handoverFlags = ['never', 'when-needed', 'always'] as const satisfies readonly HandoverFlag[];
