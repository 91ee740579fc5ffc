import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable } from '../closed.ts';
import { LookUpAnswer, LookUpResult } from './look-up.ts';

export const MOST_HASH_ANSWERS = 500;

export const HashAnswerPage = Closed({
  answers: Type.Array(
    Closed({
      /** Of the usable records of the list, from 1. */
      number: Count(),
      ...LookUpResult.properties,
    }),
    { maxItems: MOST_HASH_ANSWERS },
  ),
  sets: LookUpAnswer.properties.sets,
  contact: LookUpAnswer.properties.contact,
  next: Nullable(BoundedText(300)),
});
