/* SPDX-License-Identifier: Apache-2.0
 *
 * A position-independent program: ELF calls it a shared object too.
 */
int main(void)
{
    return 0;
}
