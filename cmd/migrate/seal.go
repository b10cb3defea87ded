package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"atlas-secure/internal/config"
	"atlas-secure/internal/requisites"
)

// maxInput is more than requisites can be; what is longer is not read on.
const maxInput = 8 << 10

func sealRequisites() *cobra.Command {
	return &cobra.Command{
		Use: "seal-requisites", Short: "Seal requisites from standard input, for withdrawal.request in psql", Args: cobra.NoArgs,
		Long: "Reads where a withdrawal is to be paid (5 to 256 characters) from standard input and prints it sealed, as\n" +
			"p_requisites of withdrawal.request and withdrawal.draft want it. The key is LOCAL_, STAGE_ or\n" +
			"PROD_REQUISITES_KEY (by APP_ENV) and must be the one that the bot has, or nobody can open it.\n" +
			"Give the text by a pipe or a file, not as an argument, so that no shell history keeps it:\n\n" +
			"  atlas-migrate seal-requisites < card.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := config.RequisitesKey()
			if err != nil {
				return err
			}
			sealer, err := requisites.NewSealer(key)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxInput))
			if err != nil {
				return errors.New("standard input cannot be read")
			}
			plain, err := requisites.New(string(text))
			if err != nil {
				return err
			}
			sealed, err := sealer.Seal(plain)
			if err != nil {
				return err
			}
			if config.IsLocalRequisitesKey(key) {
				cmd.PrintErrln("sealed with the local default key, which everybody knows")
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), sealed)
			return err
		},
	}
}
