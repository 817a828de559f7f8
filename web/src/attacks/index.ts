/** Real attacks on the three protections and on the plain baseline, in this page: the breach simulator. */
export { uncentredCosine } from './constant'
export { Thief } from './thief'
export { DATABASES, LEAKS, TARGETS, type AttackName, type Finding, type Leak, type Outcome, type Target } from './trial'
export { inventedFace } from './vectors'
