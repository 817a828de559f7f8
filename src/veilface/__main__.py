from veilface.cli import main

main()
