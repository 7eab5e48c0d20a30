// What the delivery service of one call says of itself, as plain data for reports.

export interface DaveReport {
  /** What the server says in op 4, after a downgrade 0. */
  version: number;
  established: boolean;
  /** User ids of those in the call, in the group or not. */
  members: string[];
  epoch: number;
  /** User ids in leaf order, null where blank. */
  leaves: (string | null)[];
  /** User ids whose commit was taken, one per epoch. */
  commits: string[];
  lateCommits: number;
  badCommits: string[];
  /** Op 31 received. */
  invalid: number;
  /** Transitions that went on without every op 23. */
  transitionTimeouts: number;
  /** Transition ids that were executed, in order; 0 is a sole-member reset. */
  executed: number[];
}

/** The part of it that only grows. */
export type DaveScore = Omit<DaveReport, 'version' | 'established' | 'members' | 'epoch' | 'leaves'>;

export function emptyScore(): DaveScore {
  return {
    commits: [],
    lateCommits: 0,
    badCommits: [],
    invalid: 0,
    transitionTimeouts: 0,
    executed: [],
  };
}
