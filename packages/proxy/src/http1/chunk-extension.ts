// Hot path.
// The grammar of chunk extensions (RFC 9112 §7.1.1), byte by byte. Nobody uses them, so nobody reads them alike: one that
// ends in the middle of a quoted string ends elsewhere for a recipient that takes the quotes seriously.
import { isFieldValueCharacter, isTokenCharacter } from '../codec/character-class.ts';

/** Where in an extension the next byte stands; what `nextExtensionState` answers and is asked with. */
export const ExtensionState = {
  error: 0,
  /** Behind `;`: a name must follow. */
  nameStart: 1,
  name: 2,
  /** Behind `=`: a token or a quoted string must follow. */
  valueStart: 3,
  token: 4,
  quoted: 5,
  /** Behind a backslash in a quoted string. */
  escaped: 6,
  quotedEnd: 7,
  /** The line's CR: the extensions end here. */
  end: 8,
} as const;

const semicolon = 0x3b;
const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;
const carriageReturn = 0x0d;

/** The state behind `byte`, or `ExtensionState.error`. White space that is not quoted is refused: it has been obsolete since 2014. */
export function nextExtensionState(state: number, byte: number): number {
  switch (state) {
    case ExtensionState.nameStart:
      return isTokenCharacter[byte] === 1 ? ExtensionState.name : ExtensionState.error;
    case ExtensionState.name:
      if (isTokenCharacter[byte] === 1) return ExtensionState.name;
      return byte === equals ? ExtensionState.valueStart : behindValue(byte);
    case ExtensionState.valueStart:
      if (isTokenCharacter[byte] === 1) return ExtensionState.token;
      return byte === quote ? ExtensionState.quoted : ExtensionState.error;
    case ExtensionState.token:
      return isTokenCharacter[byte] === 1 ? ExtensionState.token : behindValue(byte);
    case ExtensionState.quoted:
      if (byte === quote) return ExtensionState.quotedEnd;
      if (byte === backslash) return ExtensionState.escaped;
      return isFieldValueCharacter[byte] === 1 ? ExtensionState.quoted : ExtensionState.error;
    case ExtensionState.escaped:
      return isFieldValueCharacter[byte] === 1 ? ExtensionState.quoted : ExtensionState.error;
    case ExtensionState.quotedEnd:
      return behindValue(byte);
    default:
      return ExtensionState.error;
  }
}

function behindValue(byte: number): number {
  if (byte === semicolon) return ExtensionState.nameStart;
  return byte === carriageReturn ? ExtensionState.end : ExtensionState.error;
}
